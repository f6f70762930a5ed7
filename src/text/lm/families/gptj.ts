/** @file GPT-J. */
import type { ModuleNames } from '../spec.js';
import {
  activation,
  commonKeys,
  family,
  flag,
  headCount,
  headSize,
  layerCount,
  length,
  plain,
  positive,
  specialTokens,
  vocabulary,
  width,
} from './family.js';
import { gpt2Modules } from './gpt2.js';
import { rotaryPositions } from './rope.js';

const keys = {
  ...commonKeys,
  n_embd: width,
  n_head: headCount,
  n_layer: layerCount,
  n_inner: width.optional(),
  n_positions: length,
  rotary_dim: width.optional(),
  vocab_size: vocabulary,
  layer_norm_epsilon: positive.default(1e-5),
  activation_function: activation.default('geluTanh'),
  tie_word_embeddings: flag.default(false),
};

const { positionEmbedding: _, ...names } = gpt2Modules;
const modules: ModuleNames = {
  ...names,
  layer: {
    attentionNorm: 'ln_1',
    attention: { kind: 'separate', query: 'attn.q_proj', key: 'attn.k_proj', value: 'attn.v_proj' },
    output: 'attn.out_proj',
    mlpNorm: 'ln_1',
    up: 'mlp.fc_in',
    down: 'mlp.fc_out',
  },
  matrices: 'out,in',
};

export const gptj = family(keys, (config, unsupported) => {
  const { n_embd: dModel, n_head: heads, n_layer: layers } = config;
  const dHead = headSize(dModel, heads, unsupported);
  const dims = config.rotary_dim ?? dHead;
  return {
    ...plain,
    family: config.model_type,
    modules,
    layers,
    dModel,
    heads,
    kvHeads: heads,
    dHead,
    dMlp: config.n_inner ?? 4 * dModel,
    vocab: config.vocab_size,
    context: config.n_positions,
    norm: { kind: 'layer', eps: config.layer_norm_epsilon },
    positions: rotaryPositions(layers, { dims, pairs: 'neighbours', theta: 10000, scaling: null }),
    attentionScale: 1 / Math.sqrt(dHead),
    windows: new Array(layers).fill(null),
    biases: { qkv: false, output: false, mlp: true, unembedding: true },
    parallelResidual: true,
    activation: config.activation_function,
    tiedEmbeddings: config.tie_word_embeddings,
    ...specialTokens(config),
  };
});
