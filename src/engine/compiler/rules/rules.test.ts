/** Kernels without geometry, compiled, against the eager cpu backend: values and gradients. */
import { describe } from 'vitest';
import { type Case, checkCases, pair, smooth } from '../../../../test/helpers/kernel-cases.js';
import * as tf from '../../functions/tfjs.js';

const cases: Record<string, Case> = {
  abs: smooth(tf.abs),
  'ceil, floor, round, sign': smooth((x) => tf.addN([tf.ceil(x), tf.floor(x), tf.round(x), tf.sign(x)])),
  'cos, sin, tan, atan': smooth((x) => tf.addN([tf.cos(x), tf.sin(x), tf.tan(tf.mul(x, 0.5)), tf.atan(x)])),
  'elu, selu': smooth((x) => tf.add(tf.elu(x), tf.selu(x))),
  erf: smooth(tf.erf),
  'exp, expm1': smooth((x) => tf.add(tf.exp(x), tf.expm1(x))),
  'log, log1p, sqrt, rsqrt, reciprocal': smooth(
    (x) => tf.addN([tf.log(x), tf.log1p(x), tf.sqrt(x), tf.rsqrt(x), tf.reciprocal(x)]),
    [0.2, 3],
  ),
  neg: smooth(tf.neg),
  relu: smooth(tf.relu),
  relu6: smooth(tf.relu6, [-4, 9]),
  'leaky relu, prelu': smooth((x) => tf.add(tf.leakyRelu(x, 0.3), tf.prelu(x, tf.fill([3, 5], 0.25)))),
  'sigmoid, softplus, tanh': smooth((x) => tf.addN([tf.sigmoid(x), tf.softplus(x), tf.tanh(x)])),
  square: smooth(tf.square),
  clip: smooth((x) => tf.clipByValue(x, -0.5, 0.7)),
  'step with a slope': { ...smooth((x) => tf.step(x, 0.3)), noGradient: true },
  'isNaN, logical not': {
    ...smooth((x) => tf.cast(tf.logicalNot(tf.isNaN(tf.sqrt(x))), 'float32')),
    noGradient: true,
  },
  'cast to int and back': { ...smooth((x) => tf.cast(tf.cast(x, 'int32'), 'float32')), noGradient: true },
  'ones and zeros like': smooth((x) => tf.add(tf.mul(x, tf.onesLike(x)), tf.zerosLike(x))),
  add: pair(tf.add),
  'add with broadcasting both ways': pair((a, b) => tf.add(tf.reshape(a, [3, 5, 1]), b), [-1, 1], [1, 4]),
  sub: pair(tf.sub),
  mul: pair(tf.mul),
  div: pair(tf.div),
  pow: pair(tf.pow),
  'pow of constants': smooth((x) => tf.add(tf.pow(x, 2), tf.pow(x, 3)), [0.5, 2]),
  'maximum, minimum': pair((a, b) => tf.add(tf.maximum(a, b), tf.mul(tf.minimum(a, b), 2)), [0.5, 2], [3, 5]),
  squaredDifference: pair(tf.squaredDifference, [0.5, 2], [3, 5]),
  'mod, floorDiv': { ...pair((a, b) => tf.add(tf.mod(a, b), tf.floorDiv(a, b)), [0.5, 5]), noGradient: true },
  comparisons: {
    ...pair((a, b) =>
      tf.addN(
        [
          tf.equal(a, a),
          tf.notEqual(a, b),
          tf.greater(a, b),
          tf.greaterEqual(a, b),
          tf.less(a, b),
          tf.lessEqual(a, b),
        ].map((x) => tf.cast(x, 'float32')),
      ),
    ),
    noGradient: true,
  },
  'logical and, or': {
    ...pair((a, b) =>
      tf.cast(tf.logicalOr(tf.logicalAnd(tf.greater(a, 1), tf.less(b, 1.5)), tf.greater(b, 1.8)), 'float32'),
    ),
    noGradient: true,
  },
  where: pair((a, b) => tf.where(tf.tensor([1, 0, 0, 1, 1], [5], 'bool'), a, tf.mul(a, b)), [0.5, 2], [3, 5]),
  'reshape, expandDims, squeeze': smooth((x) => tf.squeeze(tf.expandDims(tf.reshape(x, [5, 3]), 1), [1])),
  transpose: { shapes: [[2, 3, 4]], fn: (x) => tf.transpose(tf.transpose(x, [2, 0, 1]), [1, 0, 2]) },
  'tile, broadcastTo': smooth((x) =>
    tf.add(tf.tile(tf.expandDims(x, 0), [2, 1, 1]), tf.broadcastTo(x, [2, 3, 5])),
  ),
  'tile a long axis': smooth((x) => tf.tile(x, [2, 3])),
  concat: pair((a, b) => tf.concat([a, tf.reshape(b, [3, 2])], 1), [-1, 1], [3, 2]),
  'stack, unstack': smooth((x) => tf.addN(tf.unstack(tf.stack([x, tf.square(x)], 1), 0))),
  split: smooth((x) => tf.concat(tf.split(x, [1, 3, 1], 1).reverse(), 1)),
  slice: { shapes: [[4, 5, 6]], fn: (x) => tf.slice(x, [1, 0, 2], [2, -1, 3]) },
  stridedSlice: {
    shapes: [[4, 5, 6]],
    fn: (x) => tf.stridedSlice(x, [0, 4, 1], [4, 0, 6], [2, -2, 2]),
    noGradient: true,
  },
  reverse: { shapes: [[4, 5, 6]], fn: (x) => tf.reverse(x, [0, 2]) },
  'pad, mirror pad': smooth((x) =>
    tf.add(
      tf.pad(
        x,
        [
          [1, 2],
          [0, 1],
        ],
        0.5,
      ),
      1,
    ),
  ),
  'mirror pad': {
    ...smooth((x) =>
      tf.mirrorPad(
        x,
        [
          [1, 2],
          [0, 1],
        ],
        'reflect',
      ),
    ),
    noGradient: true,
  },
  gather: smooth((x) => tf.gather(x, tf.tensor([4, 0, 0, 2], [2, 2], 'int32'), 1)),
  'gather rows': { shapes: [[6, 5]], fn: (x) => tf.gather(x, tf.tensor1d([4, 0, 0, 2], 'int32')) },
  'gather a batch': {
    shapes: [[3, 5]],
    fn: (x) =>
      tf.gather(
        x,
        tf.tensor(
          [
            [1, 0],
            [4, 4],
            [2, 3],
          ],
          [3, 2],
          'int32',
        ),
        1,
        1,
      ),
    noGradient: true,
  },
  oneHot: {
    shapes: [[3, 4]],
    fn: (x) => tf.mul(x, tf.cast(tf.oneHot(tf.tensor1d([1, 3, 0], 'int32'), 4, 2, -1), 'float32')),
  },
  'scatter, segments': {
    shapes: [[3, 4]],
    fn: (x) =>
      tf.add(
        tf.unsortedSegmentSum(x, tf.tensor1d([1, 4, 1], 'int32'), 5),
        tf.scatterND(tf.tensor2d([[0], [2], [2]], [3, 1], 'int32'), x, [5, 4]),
      ),
    noGradient: true,
  },
  'fill, range': smooth((x) => tf.add(tf.mul(x, tf.range(0, 5, 1)), tf.fill([3, 1], 2))),
  'matMul 2-D': { shapes: [[3, 4], [4, 5], [5]], fn: (a, b, c) => tf.add(tf.matMul(a, b), c) },
  'matMul transposed': {
    shapes: [
      [4, 3],
      [5, 4],
    ],
    fn: (a, b) => tf.matMul(a, b, true, true),
  },
  'matMul batched': {
    shapes: [
      [2, 3, 4],
      [2, 5, 4],
    ],
    fn: (a, b) => tf.matMul(a, b, false, true),
  },
  'matMul after a reshape, with a bias': {
    shapes: [[2, 3, 4], [4, 5], [5]],
    fn: (a, b, c) => tf.add(tf.reshape(tf.matMul(tf.reshape(a, [6, 4]), b), [2, 3, 5]), c),
  },
  sums: {
    shapes: [[2, 3, 4]],
    fn: (x) => tf.addN([tf.sum(x, [0, 2]), tf.mean(x, [0, 2]), tf.mul(tf.sum(x), tf.ones([3]))]),
  },
  'sums that keep axes': { shapes: [[2, 3, 4]], fn: (x) => tf.sub(x, tf.mean(x, -1, true)) },
  'max, min': { shapes: [[3, 4]], fn: (x) => tf.add(tf.max(x, 1), tf.min(x, 1)) },
  prod: { ...smooth((x) => tf.prod(x, 1)), noGradient: true },
  'all, any, argMax, argMin': {
    ...smooth((x) =>
      tf.addN(
        [tf.all(tf.greater(x, -1), 1), tf.any(tf.greater(x, 1.5), 1), tf.argMax(x, 1), tf.argMin(x, 1)].map(
          (y) => tf.cast(y, 'float32'),
        ),
      ),
    ),
    noGradient: true,
  },
  'softmax, logSoftmax': smooth((x) => tf.add(tf.softmax(x), tf.logSoftmax(x))),
  logSumExp: smooth((x) => tf.logSumExp(x, 1)),
  cumsum: smooth((x) => tf.add(tf.cumsum(x, 1), tf.cumsum(x, 1, true, true))),
  topk: {
    ...smooth((x) => tf.add(tf.topk(x, 2).values, tf.cast(tf.topk(x, 2).indices, 'float32'))),
    noGradient: true,
  },
  'transpose and a larger constant': {
    shapes: [[4, 3, 1]],
    fn: (x) => tf.add(tf.transpose(x, [1, 0, 2]), tf.fill([3, 4, 2], 2)),
  },
  'one-hot of integers': {
    shapes: [[3, 4]],
    fn: (x) => tf.oneHot(tf.cast(tf.argMax(x, 1), 'int32') as tf.Tensor1D, 4),
    noGradient: true,
  },
};

describe('every kernel compiled = eager', () => checkCases(cases));
