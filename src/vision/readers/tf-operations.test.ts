/** Operations of GraphModels against TensorFlow.js' own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Constants,
  forward,
  node,
  noise,
  picture,
  type Setting,
  write,
} from '../../../test/vision/small-tf-graph.js';
import * as tf from '../../engine/functions/tfjs.js';
import { openVisionNetwork } from '../open.js';
import type { TfNode } from './tf-ops/context.js';

const folder = mkdtempSync(join(tmpdir(), 'superstim-tf-operations-'));
beforeAll(() => tf.setBackend('cpu'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Example {
  nodes: TfNode[];
  constants?: Constants;
  expected(x: tf.Tensor4D): tf.Tensor;
}

const kernel = noise([3, 3, 4, 6], 1) as tf.Tensor4D;
const depthwise = noise([3, 3, 4, 2], 2) as tf.Tensor4D;
const bias = noise([6], 3) as tf.Tensor1D;
const vector = noise([4], 4) as tf.Tensor1D;
const matrix = noise([252, 5], 5) as tf.Tensor2D;
const variance = tf.tensor1d([1, 2, 0.5, 1, 3, 0.7]);
const strides = { strides: [1, 2, 2, 1], padding: 'SAME' };
const plain = { strides: [1, 1, 1, 1], padding: 'VALID' };
const window = { ksize: [1, 3, 3, 1], ...strides };
const one = (
  op: string,
  expected: (x: tf.Tensor4D) => tf.Tensor,
  settings: Record<string, Setting> = {},
  more: Constants = {},
): Example => ({
  nodes: [node(op, 'y', ['picture', ...Object.keys(more)], settings)],
  constants: more,
  expected,
});

const examples: Record<string, Example> = {
  'Conv2D, SAME': one('Conv2D', (x) => tf.conv2d(x, kernel, 2, 'same'), strides, { kernel }),
  'Conv2D, dilated': one(
    'Conv2D',
    (x) => tf.conv2d(x, kernel, 1, 'valid', 'NHWC', 2),
    { ...plain, dilations: [1, 2, 2, 1] },
    { kernel },
  ),
  'Conv2D, EXPLICIT': one(
    'Conv2D',
    (x) =>
      tf.conv2d(x, kernel, 2, [
        [0, 0],
        [2, 1],
        [0, 1],
        [0, 0],
      ]),
    { strides: [1, 2, 2, 1], padding: 'EXPLICIT', explicit_paddings: [0, 0, 2, 1, 0, 1, 0, 0] },
    { kernel },
  ),
  DepthwiseConv2dNative: one(
    'DepthwiseConv2dNative',
    (x) => tf.depthwiseConv2d(x, depthwise, 2, 'same'),
    strides,
    { depthwise },
  ),
  'FusedDepthwiseConv2dNative with Relu6': one(
    'FusedDepthwiseConv2dNative',
    (x) => tf.relu6(tf.add(tf.depthwiseConv2d(x, depthwise, 1, 'valid'), noise([8], 9))),
    { ...plain, fused_ops: ['BiasAdd', 'Relu6'] },
    { depthwise, bias: noise([8], 9) },
  ),
  '_FusedConv2D with BiasAdd and LeakyRelu': one(
    '_FusedConv2D',
    (x) => tf.leakyRelu(tf.add(tf.conv2d(x, kernel, 1, 'valid'), bias), 0.3),
    { ...plain, fused_ops: ['BiasAdd', 'LeakyRelu'], leakyrelu_alpha: 0.3 },
    { kernel, bias },
  ),
  '_FusedConv2D with FusedBatchNorm and Prelu': one(
    '_FusedConv2D',
    (x) =>
      tf.prelu(
        tf.batchNorm(tf.conv2d(x, kernel, 1, 'valid'), noise([6], 8), variance, noise([6], 7), bias, 0.01),
        noise([6], 6),
      ),
    { ...plain, fused_ops: ['FusedBatchNorm', 'Prelu'], epsilon: 0.01 },
    { kernel, scale: bias, shift: noise([6], 7), mean: noise([6], 8), variance, slope: noise([6], 6) },
  ),
  'Conv2D, then FusedBatchNormV3 and Relu': {
    nodes: [
      node('Conv2D', 'c', ['picture', 'kernel'], plain),
      node('FusedBatchNormV3', 'n', ['c', 'scale', 'shift', 'mean', 'variance'], {
        epsilon: 0.001,
        is_training: false,
      }),
      node('Relu', 'y', ['n:0', '^c']),
    ],
    constants: { kernel, scale: bias, shift: noise([6], 7), mean: noise([6], 8), variance },
    expected: (x) =>
      tf.relu(tf.batchNorm(tf.conv2d(x, kernel, 1, 'valid'), noise([6], 8), variance, noise([6], 7), bias)),
  },
  'BiasAdd, Mul, Sub and RealDiv by vectors': {
    nodes: [
      node('BiasAdd', 'a', ['picture', 'vector']),
      node('Mul', 'm', ['vector', 'a']),
      node('Sub', 's', ['m', 'vector']),
      node('RealDiv', 'y', ['s', 'vector']),
    ],
    constants: { vector },
    expected: (x) => tf.div(tf.sub(tf.mul(tf.add(x, vector), vector), vector), vector),
  },
  'AddN, Maximum, SquaredDifference': {
    nodes: [
      node('AddN', 'a', ['picture', 'picture', 'picture']),
      node('Maximum', 'm', ['a', 'picture']),
      node('SquaredDifference', 'y', ['m', 'picture']),
    ],
    expected: (x) => tf.squaredDifference(tf.maximum(tf.mul(x, 3), x), x),
  },
  'MaxPool, SAME': one('MaxPool', (x) => tf.maxPool(x, 3, 2, 'same'), window),
  'AvgPool, SAME': one('AvgPool', (x) => tf.avgPool(x, 3, 2, 'same'), window),
  'Mean over the picture': one('Mean', (x) => tf.mean(x, [1, 2]), { keep_dims: false }, { axes: [1, 2] }),
  'Max, keeping axes': one('Max', (x) => tf.max(x, 3, true), { keep_dims: true }, { axes: [-1] }),
  'ConcatV2 and Split': {
    nodes: [
      node('Split', 's', ['axis', 'picture'], { num_split: 2 }),
      node('ConcatV2', 'y', ['s:1', 's', 'axis']),
    ],
    constants: { axis: [3] },
    expected: (x) => tf.gather(x, [2, 3, 0, 1], 3),
  },
  SplitV: {
    nodes: [node('SplitV', 's', ['picture', 'sizes', 'axis'], { num_split: 2 }), node('Relu', 'y', ['s:1'])],
    constants: { sizes: [3, 4], axis: [1] },
    expected: (x) => tf.relu(tf.slice(x, [0, 3, 0, 0], [1, 4, 9, 4])),
  },
  'Reshape from computed sizes, _FusedMatMul': {
    nodes: [
      node('Shape', 's', ['picture']),
      node('StridedSlice', 'batch', ['s', 'zero', 'one', 'one'], { shrink_axis_mask: 1 }),
      node('Pack', 'shape', ['batch', 'rest']),
      node('Reshape', 'flat', ['picture', 'shape']),
      node('_FusedMatMul', 'y', ['flat', 'matrix', 'b'], { fused_ops: ['BiasAdd', 'Relu'] }),
    ],
    constants: { zero: [0], one: [1], rest: [252], matrix, b: noise([5], 2) },
    expected: (x) => tf.relu(tf.add(tf.matMul(tf.reshape(x, [1, 252]), matrix), noise([5], 2))),
  },
  'MatMul transposed, Softmax, Squeeze': {
    nodes: [
      node('Mean', 'm', ['picture', 'axes'], { keep_dims: true }),
      node('Squeeze', 's', ['m'], { squeeze_dims: [1, 2] }),
      node('MatMul', 'p', ['s', 'w'], { transpose_b: true }),
      node('Softmax', 'y', ['p']),
    ],
    constants: { axes: [1, 2], w: noise([3, 4], 4) },
    expected: (x) =>
      tf.softmax(tf.matMul(tf.mean(x, [1, 2]) as tf.Tensor2D, noise([3, 4], 4) as tf.Tensor2D, false, true)),
  },
  Pad: one(
    'Pad',
    (x) =>
      tf.pad4d(x, [
        [0, 0],
        [1, 2],
        [0, 3],
        [0, 0],
      ]),
    {},
    { pads: [0, 0, 1, 2, 0, 3, 0, 0] },
  ),
  'MirrorPad, SYMMETRIC': one(
    'MirrorPad',
    (x) =>
      tf.mirrorPad(
        x,
        [
          [0, 0],
          [1, 2],
          [0, 3],
          [0, 0],
        ],
        'symmetric',
      ),
    { mode: 'SYMMETRIC' },
    { pads: [0, 0, 1, 2, 0, 3, 0, 0] },
  ),
  'MirrorPad, REFLECT': one(
    'MirrorPad',
    (x) =>
      tf.mirrorPad(
        x,
        [
          [0, 0],
          [1, 2],
          [0, 3],
          [0, 0],
        ],
        'reflect',
      ),
    { mode: 'REFLECT' },
    { pads: [0, 0, 1, 2, 0, 3, 0, 0] },
  ),
  'ResizeBilinear, half pixel centres': one(
    'ResizeBilinear',
    (x) => tf.image.resizeBilinear(x, [11, 20], false, true),
    { half_pixel_centers: true },
    { size: [11, 20] },
  ),
  'ResizeBilinear, aligned corners': one(
    'ResizeBilinear',
    (x) => tf.image.resizeBilinear(x, [14, 5], true),
    { align_corners: true },
    { size: [14, 5] },
  ),
  ResizeNearestNeighbor: one(
    'ResizeNearestNeighbor',
    (x) => tf.image.resizeNearestNeighbor(x, [14, 20]),
    {},
    { size: [14, 20] },
  ),
  StridedSlice: one(
    'StridedSlice',
    (x) => tf.reshape(tf.stridedSlice(x, [0, 1, 0, 2], [1, 6, 9, 3], [1, 2, 3, 1]), [1, 3, 3]),
    { begin_mask: 1, end_mask: 5, shrink_axis_mask: 8 },
    { begin: [0, 1, 0, 2], end: [0, 6, 9, 3], steps: [1, 2, 3, 1] },
  ),
  'Slice, Transpose, ExpandDims': {
    nodes: [
      node('Slice', 's', ['picture', 'begin', 'size']),
      node('Transpose', 't', ['s', 'perm']),
      node('ExpandDims', 'y', ['t', 'axis']),
    ],
    constants: { begin: [0, 2, 0, 1], size: [-1, 3, -1, 2], perm: [0, 3, 1, 2], axis: [1] },
    expected: (x) => tf.expandDims(tf.transpose(tf.slice(x, [0, 2, 0, 1], [1, 3, 9, 2]), [0, 3, 1, 2]), 1),
  },
  LRN: one('LRN', (x) => tf.localResponseNormalization(x, 1, 2, 0.3, 0.6), {
    depth_radius: 1,
    bias: 2.0000001,
    alpha: 0.3,
    beta: 0.6,
  }),
  'Sigmoid, Tanh, Elu, Rsqrt': {
    nodes: [
      node('Tanh', 'a', ['picture']),
      node('Elu', 'b', ['a']),
      node('Sigmoid', 'c', ['b']),
      node('Rsqrt', 'y', ['c']),
    ],
    expected: (x) => tf.rsqrt(tf.sigmoid(tf.elu(tf.tanh(x)))),
  },
};

test.each(Object.keys(examples))('%s', (name) => {
  const { nodes, constants = {}, expected } = examples[name]!;
  const x = noise([1, 7, 9, 4], 6) as tf.Tensor4D;
  // The converter keeps nodes in any order.
  const network = openVisionNetwork(write(folder, [...nodes, picture([-1, 7, 9, 4])].reverse(), constants));
  const got = forward(network, x);
  const wanted = expected(x);
  // Layers are listed with their channels last, and with a channel axis where the file has none.
  const inOrder = (y: tf.Tensor): Float32Array => (y.dataSync() as Float32Array).slice().sort();
  const listed = got.shape.join() === wanted.shape.join();
  const [a, b] = [got, wanted].map((y) => (listed ? y.dataSync() : inOrder(y)));
  expect(got.size).toBe(wanted.size);
  expect(tf.max(tf.abs(wanted)).dataSync()[0]).toBeGreaterThan(0);
  expect(Math.max(...[...a!].map((value, i) => Math.abs(value - b![i]!)))).toBeLessThan(1e-5);
});
