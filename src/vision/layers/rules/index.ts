/** @file The table of layer rules: for each kind of operation its shape, which channels it needs, and its tfjs ops. */
import type { Op, Rule } from '../op.js';
import { depthToSpaceRule, groupNormRule, matMulRule } from './blocks.js';
import { activationRule, binaryRule, preluRule, selectRule } from './elementwise.js';
import {
  concatRule,
  flattenRule,
  gatherRule,
  inputRule,
  reshapeRule,
  softmaxRule,
  squeezeRule,
  transposeRule,
  unsqueezeRule,
} from './layout.js';
import { lrnRule, padRule, poolRule, reduceRule, resizeRule, sliceRule } from './spatial.js';
import {
  attentionRule,
  headNormsRule,
  layerNormRule,
  tokenMapRule,
  tokenRule,
  toTokensRule,
} from './tokens.js';
import { transposedConvRule } from './transposed-conv.js';
import { affineRule, constantRule, convRule, denseRule } from './weighted.js';

type OpOf<K extends Op['kind']> = Extract<Op, { kind: K }>;
type KindsOf<O extends Op> = O extends Op ? O['kind'] : never;

const rules: { readonly [K in KindsOf<Op>]: Rule<never> } = {
  input: inputRule,
  constant: constantRule,
  conv: convRule,
  'transposed conv': transposedConvRule,
  dense: denseRule,
  affine: affineRule,
  activation: activationRule,
  prelu: preluRule,
  'max pool': poolRule,
  'average pool': poolRule,
  reduce: reduceRule,
  pad: padRule,
  slice: sliceRule,
  resize: resizeRule,
  lrn: lrnRule,
  add: binaryRule,
  subtract: binaryRule,
  multiply: binaryRule,
  divide: binaryRule,
  maximum: binaryRule,
  minimum: binaryRule,
  matmul: matMulRule,
  select: selectRule,
  concat: concatRule,
  flatten: flattenRule,
  reshape: reshapeRule,
  squeeze: squeezeRule,
  unsqueeze: unsqueezeRule,
  gather: gatherRule,
  'depth to space': depthToSpaceRule,
  'group norm': groupNormRule,
  transpose: transposeRule,
  softmax: softmaxRule,
  'layer norm': layerNormRule,
  'to tokens': toTokensRule,
  'token map': tokenMapRule,
  token: tokenRule,
  attention: attentionRule,
  'head norms': headNormsRule,
};

export function ruleOf<O extends Op>(op: O): Rule<O> {
  return rules[op.kind as OpOf<O['kind']>['kind']] as Rule<O>;
}
