/**
 * @file TensorFlow.js, loaded when the first of its functions is called: files that write functions of tensors can be
 * imported for the names in them, by `superstim --help` for one, at no cost. What is used of it is named here.
 */
import type * as Core from '@tensorflow/tfjs-core';
import { loadTfjs } from './load-tfjs.js';

export type * from '@tensorflow/tfjs-core';

/** Calls through to the function of a name. */
const functionsOf = <M extends object>(load: () => M): M =>
  new Proxy({} as M, {
    get:
      (_, name) =>
      (...args: unknown[]) =>
        (load() as Record<PropertyKey, (...args: unknown[]) => unknown>)[name]!(...args),
  });

// biome-ignore-start format: a list of names
// biome-ignore-start lint/suspicious/noShadowRestrictedNames: its names
export const {
  abs,
  acos,
  add,
  addN,
  all,
  any,
  argMax,
  argMin,
  atan,
  avgPool,
  batchNorm,
  broadcastTo,
  cast,
  ceil,
  clipByValue,
  clone,
  concat,
  concat1d,
  conv2d,
  cos,
  cumsum,
  customGrad,
  depthwiseConv2d,
  div,
  elu,
  engine,
  equal,
  erf,
  exp,
  expandDims,
  expm1,
  eye,
  fill,
  findBackendFactory,
  floor,
  floorDiv,
  gather,
  getBackend,
  getGradient,
  grad,
  grads,
  greater,
  greaterEqual,
  isNaN,
  keep,
  leakyRelu,
  less,
  lessEqual,
  localResponseNormalization,
  log,
  log1p,
  logSoftmax,
  logSumExp,
  logicalAnd,
  logicalNot,
  logicalOr,
  matMul,
  max,
  maxPool,
  maximum,
  mean,
  memory,
  min,
  minimum,
  mirrorPad,
  mod,
  moments,
  mul,
  neg,
  norm,
  notEqual,
  oneHot,
  ones,
  onesLike,
  pad,
  pad4d,
  pow,
  prelu,
  prod,
  profile,
  randomNormal,
  randomUniform,
  range,
  reciprocal,
  registerBackend,
  registerGradient,
  registerKernel,
  relu,
  relu6,
  reshape,
  reverse,
  round,
  rsqrt,
  scalar,
  scatterND,
  selu,
  setBackend,
  sigmoid,
  sign,
  sin,
  slice,
  softmax,
  softplus,
  split,
  sqrt,
  square,
  squaredDifference,
  squeeze,
  stack,
  step,
  stridedSlice,
  sub,
  sum,
  tan,
  tanh,
  tensor,
  tensor1d,
  tensor2d,
  tensor3d,
  tensor4d,
  tidy,
  tile,
  topk,
  transpose,
  unsortedSegmentSum,
  unstack,
  valueAndGrad,
  valueAndGrads,
  where,
  whereAsync,
  zeros,
  zerosLike,
} = functionsOf(loadTfjs);
// biome-ignore-end lint/suspicious/noShadowRestrictedNames: its names
// biome-ignore-end format: a list of names

export const backend_util = functionsOf(() => loadTfjs().backend_util);
export const image = functionsOf(() => loadTfjs().image);
export const slice_util = functionsOf(() => loadTfjs().slice_util);
export const util = functionsOf(() => loadTfjs().util);

/** Names of kernels. */
export const Relu: typeof Core.Relu = 'Relu';
export const Relu6: typeof Core.Relu6 = 'Relu6';
export const ClipByValue: typeof Core.ClipByValue = 'ClipByValue';

export type Tensor<R extends Core.Rank = Core.Rank> = Core.Tensor<R>;

export const isTensor = (value: unknown): value is Tensor => value instanceof loadTfjs().Tensor;
