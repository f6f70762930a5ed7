/**
 * @file TensorFlow.js with its gradients.
 *
 * Its bundles are CommonJS. Imported, Node would first read through three megabytes for the names that they export: 0.2 s of every
 * command. Required, they are loaded in a quarter of that, and what is used of them is named here.
 *
 * The node bundle of tfjs-core registers no gradients and its `register_all_gradients` cannot be imported
 * from ES modules in Node; tfjs-layers' bundle registers them all.
 */
import { createRequire } from 'node:module';
import type * as Core from '@tensorflow/tfjs-core';

export type * from '@tensorflow/tfjs-core';

const require = createRequire(import.meta.url);
const core: typeof Core = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-layers');

// Without it the cpu backend greets every user with an advertisement for tfjs-node.
core.enableProdMode();

/** The names of all its kernels. */
export const kernelNames: readonly string[] = Object.values<unknown>(core).filter(
  (name): name is string => typeof name === 'string' && /^[A-Z_]/.test(name),
);

// biome-ignore-start format: a list of names
// biome-ignore-start lint/suspicious/noShadowRestrictedNames: its names
export const {
  Relu,
  ClipByValue,
  Relu6,
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
  backend_util,
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
  image,
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
  slice_util,
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
  util,
  valueAndGrad,
  valueAndGrads,
  where,
  whereAsync,
  zeros,
  zerosLike,
} = core;
// biome-ignore-end lint/suspicious/noShadowRestrictedNames: its names
// biome-ignore-end format: a list of names

// Classes: types, too.
export const Tensor = core.Tensor;
export type Tensor<R extends Core.Rank = Core.Rank> = Core.Tensor<R>;
export const KernelBackend = core.KernelBackend;
export type KernelBackend = Core.KernelBackend;
export const DataStorage = core.DataStorage;
export type DataStorage<T> = Core.DataStorage<T>;
