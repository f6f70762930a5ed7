/** The ONNX reader against ONNX Runtime: the same small files, run by both. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type Example,
  floats,
  ints,
  modelOf,
  node,
  noise,
  type Setting,
  sizeOf,
  valueInfo,
} from '../../../test/vision/small-onnx.js';
import {
  attributeTypes,
  encodeModel,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  onnxTypes,
} from '../../engine/compiler/onnx-proto.js';
import * as tf from '../../engine/functions/tfjs.js';
import { f16FromFloat32 } from '../../engine/weights/half.js';
import type { VisionNetwork } from '../network.js';
import { onnxNetwork } from './onnx.js';

const folder = mkdtempSync(join(tmpdir(), 'superstim-onnx-'));
beforeAll(() => tf.setBackend('cpu'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function write(model: OnnxModel): string {
  const path = join(folder, `${files++}.onnx`);
  writeFileSync(path, encodeModel(model));
  return path;
}

/** The image [channel, height, width] as [1, height, width, channel]. */
function toNhwc(data: Float32Array, [channels, height, width]: [number, number, number]): tf.Tensor4D {
  return tf.transpose(tf.tensor4d(data, [1, channels, height, width]), [0, 2, 3, 1]);
}

function forward(network: VisionNetwork, image: tf.Tensor4D, layer: string): tf.Tensor {
  const lookup = (name: string): tf.Tensor =>
    tf.tensor(network.weights.read(name), [...network.weights.shape(name)]);
  return network.forward(lookup, image, [{ layer }])[0]!;
}

/** Largest differences between ONNX Runtime and us: in the output, and in its slope along one direction. */
async function differences(example: Example): Promise<{ value: number; slope: number }> {
  const path = write(modelOf(example));
  const image = example.image ?? [4, 7, 9];
  const x = noise(sizeOf(image), 3);
  const direction = noise(x.length, 11);
  const session = await InferenceSession.create(path);
  const peer = async (step: number): Promise<{ dims: readonly number[]; data: Float32Array }> => {
    const moved = x.map((v, i) => v + step * direction[i]!);
    const { y } = await session.run({ x: new Tensor('float32', moved, [1, ...image]) });
    return { dims: y!.dims, data: y!.data as Float32Array };
  };
  const { dims, data: expected } = await peer(0);
  const network = onnxNetwork(path);
  const ours = (picture: tf.Tensor): tf.Tensor => {
    const y = forward(network, picture as tf.Tensor4D, example.nodes.at(-1)!.name!);
    const planar = dims.length === 4 && y.shape[3] === dims[1] && y.shape[1] === dims[2];
    if (planar) return tf.transpose(y, [0, 3, 1, 2]);
    return dims.length === 3 && y.shape[2] === dims[1] ? tf.transpose(y, [0, 2, 1]) : y;
  };
  const picture = toNhwc(x, image);
  const got = ours(picture);
  expect(got.shape).toEqual(dims);
  const scale = Math.max(...expected.map(Math.abs));
  expect(scale).toBeGreaterThan(0);
  const value = Math.max(...got.dataSync().map((v, i) => Math.abs(v - expected[i]!))) / scale;

  const factors = noise(expected.length, 5);
  const gradient = tf.grad((p) => tf.sum(tf.mul(ours(p), tf.tensor(factors, got.shape))))(picture);
  const slope = tf.sum(tf.mul(gradient, toNhwc(direction, image))).dataSync()[0]!;
  const step = 2e-4;
  const [after, before] = [(await peer(step)).data, (await peer(-step)).data];
  const parts = factors.map((factor, i) => (factor * (after[i]! - before[i]!)) / (2 * step));
  const finite = parts.reduce((a, b) => a + b, 0);
  await session.release();
  return { value, slope: Math.abs(slope - finite) / Math.hypot(...parts) };
}

// -- operators -----------------------------------------------------------------------------------------------------

const conv = (weight: number[], settings: Record<string, Setting> = {}): Example => ({
  nodes: [node('Conv', ['x', 'w', 'b'], 'y', settings)],
  weights: [floats('w', weight), floats('b', [weight[0]!])],
});
const one = (
  opType: string,
  settings: Record<string, Setting> = {},
  more: Partial<Example> = {},
): Example => ({
  nodes: [node(opType, ['x'], 'y', settings)],
  ...more,
});
const kernel = { kernel_shape: [3, 2], strides: [2, 2] };
const withInputs = (
  opType: string,
  weights: OnnxTensor[],
  settings: Record<string, Setting> = {},
  more: Partial<Example> = {},
): Example => ({
  nodes: [node(opType, ['x', ...weights.map(({ name }) => name!)], 'y', settings)],
  weights,
  ...more,
});
const resize = (scales: number[], settings: Record<string, Setting>): Example => ({
  nodes: [node('Resize', ['x', '', 'scales'], 'y', settings)],
  weights: [floats('scales', [4], scales)],
});
const statistics = [
  floats('scale', [4]),
  floats('shift', [4]),
  floats('mean', [4]),
  floats('variance', [4], [1, 2, 0.5, 3]),
];

/** Sizes that a file works out from the picture's own, as exporters write an Expand of a class token. */
const classToken: OnnxNode[] = [
  node('Shape', ['r'], 'sh'),
  node('Gather', ['sh', 'i0'], 'b'),
  node('Unsqueeze', ['b', 'z'], 'bu'),
  node('Concat', ['bu', 'm1', 'm1'], 'target', { axis: 0 }),
  node('Shape', ['target'], 'ts'),
  node('ConstantOfShape', ['ts'], 'ones', { value: ints('', [1]) }),
  node('Mul', ['ones', 'm1'], 'negative'),
  node('Equal', ['target', 'negative'], 'eq'),
  node('Where', ['eq', 'ones', 'target'], 'wh'),
  node('Expand', ['token', 'wh'], 'tokens'),
];

const examples: Record<string, Example> = {
  'ConvTranspose, strided, with output padding': {
    nodes: [
      node('ConvTranspose', ['x', 'w', 'b'], 'y', {
        ...{ strides: [2, 3], pads: [1, 0, 1, 2], output_padding: [1, 1] },
      }),
    ],
    weights: [floats('w', [4, 3, 3, 4]), floats('b', [3])],
  },
  'ConvTranspose, grouped, dilated': {
    nodes: [node('ConvTranspose', ['x', 'w'], 'y', { group: 2, dilations: [2, 1] })],
    weights: [floats('w', [4, 3, 2, 3])],
  },
  'ConvTranspose, SAME_UPPER': {
    nodes: [node('ConvTranspose', ['x', 'w'], 'y', { auto_pad: 'SAME_UPPER', strides: [2, 2] })],
    weights: [floats('w', [4, 2, 3, 3])],
  },
  'DepthToSpace, DCR': one('DepthToSpace', { blocksize: 2 }),
  'DepthToSpace, CRD': one('DepthToSpace', { blocksize: 2, mode: 'CRD' }, { image: [8, 5, 6] }),
  SpaceToDepth: one('SpaceToDepth', { blocksize: 2 }, { image: [3, 4, 6] }),
  GroupNormalization: withInputs(
    'GroupNormalization',
    [floats('scale', [4]), floats('shift', [4])],
    { num_groups: 2 },
    { opset: 21 },
  ),
  "GroupNorm as torch's older exporter writes it": {
    nodes: [
      node('Reshape', ['x', 's3'], 'r'),
      node('InstanceNormalization', ['r', 'one', 'none'], 'n'),
      node('Shape', ['x'], 'sh'),
      node('Reshape', ['n', 'sh'], 'back'),
      node('Mul', ['back', 'w'], 'm'),
      node('Add', ['m', 'w']),
    ],
    weights: [
      ints('s3', [0, 2, -1]),
      floats('one', [2], [1, 1]),
      floats('none', [2], [0, 0]),
      floats('w', [4, 1, 1]),
    ],
  },
  'LayerNorm in single steps, over channels': {
    nodes: [
      node('Transpose', ['x'], 't', { perm: [0, 2, 3, 1] }),
      node('ReduceMean', ['t', 'last'], 'mean'),
      node('Sub', ['t', 'mean'], 'centred'),
      node('Pow', ['centred', 'two'], 'square'),
      node('ReduceMean', ['square', 'last'], 'variance'),
      node('Add', ['variance', 'epsilon'], 'shifted'),
      node('Sqrt', ['shifted'], 'deviation'),
      node('Div', ['centred', 'deviation'], 'n'),
      node('Mul', ['n', 'scale'], 'm'),
      node('Transpose', ['m'], 'y', { perm: [0, 3, 1, 2] }),
    ],
    weights: [
      ints('last', [-1]),
      floats('two', [], [2]),
      floats('epsilon', [], [1e-6]),
      floats('scale', [4]),
    ],
  },
  'LayerNormalization over several axes': withInputs(
    'LayerNormalization',
    [floats('scale', [4, 7, 9]), floats('shift', [4, 7, 9])],
    { axis: 1 },
  ),
  'MaxPool, dilated': one('MaxPool', {
    kernel_shape: [2, 3],
    dilations: [2, 1],
    strides: [1, 2],
    pads: [1, 0, 1, 1],
  }),
  'Pads that are computed by a reversed slice of constants': {
    nodes: [
      node('ConstantOfShape', ['four'], 'zeros', { value: ints('', [0]) }),
      node('Concat', ['p', 'zeros'], 'all', { axis: 0 }),
      node('Reshape', ['all', 'pairs'], 'rows'),
      node('Slice', ['rows', 'm1', 'least', 'z', 'm1'], 'reversed'),
      node('Transpose', ['reversed'], 'columns'),
      node('Reshape', ['columns', 'm1'], 'flat'),
      node('Cast', ['flat'], 'pads', { to: 7 }),
      node('Pad', ['x', 'pads'], 'y', { mode: 'reflect' }),
    ],
    weights: [
      ...[ints('four', [4]), ints('p', [1, 2, 3, 0]), ints('pairs', [-1, 2]), ints('z', [0])],
      ...[ints('m1', [-1]), ints('least', [-9223372036854775000])],
    ],
  },
  'Pad, reflect, of tokens': {
    nodes: [
      node('Transpose', ['x'], 't', { perm: [0, 2, 3, 1] }),
      node('Pad', ['t', 'p'], 'q', { mode: 'reflect' }),
      node('Transpose', ['q'], 'y', { perm: [0, 3, 1, 2] }),
    ],
    weights: [ints('p', [0, 1, 2, 0, 0, 0, 1, 0])],
  },
  ReduceL1: withInputs('ReduceL1', [ints('axes', [2, 3])]),
  ReduceL2: withInputs('ReduceL2', [ints('axes', [1])]),
  ReduceMin: withInputs('ReduceMin', [ints('axes', [3])]),
  'MatMul of activations, with a softmax between': {
    nodes: [
      node('Reshape', ['x', 's'], 'r'),
      node('Transpose', ['r'], 't', { perm: [0, 2, 1] }),
      node('MatMul', ['t', 'wq'], 'q'),
      node('MatMul', ['t', 'wk'], 'k'),
      node('Transpose', ['k'], 'kt', { perm: [0, 2, 1] }),
      node('MatMul', ['q', 'kt'], 'scores'),
      node('Softmax', ['scores'], 'pattern', { axis: -1 }),
      node('MatMul', ['pattern', 't']),
    ],
    weights: [ints('s', [0, 4, -1]), floats('wq', [4, 5]), floats('wk', [4, 5])],
    rank: 3,
  },
  'A weight times an activation': {
    nodes: [node('MatMul', ['w', 'x'])],
    weights: [floats('w', [5, 7])],
  },
  'Heads from one product, moved in front of the batch and picked': {
    nodes: [
      node('Reshape', ['x', 's'], 'r'),
      node('Transpose', ['r'], 't', { perm: [0, 2, 1] }),
      node('MatMul', ['t', 'w'], 'qkv'),
      node('Reshape', ['qkv', 'r5'], 'h'),
      node('Transpose', ['h'], 'f', { perm: [2, 0, 3, 1, 4] }),
      node('Gather', ['f', 'i1'], 'g', { axis: 0 }),
      node('Transpose', ['g'], 'm', { perm: [0, 2, 1, 3] }),
      node('Reshape', ['m', 's3']),
    ],
    weights: [
      ints('s', [0, 4, -1]),
      floats('w', [4, 12]),
      ints('r5', [0, -1, 3, 2, 2]),
      ints('i1', [1], []),
      ints('s3', [0, 0, 4]),
    ],
    rank: 3,
  },
  'Windows merged into the batch and back (Swin)': {
    nodes: [
      node('Transpose', ['x'], 't', { perm: [0, 2, 3, 1] }),
      node('Reshape', ['t', 's6'], 'r'),
      node('Transpose', ['r'], 'w', { perm: [0, 1, 3, 2, 4, 5] }),
      node('Reshape', ['w', 's3'], 'windows'),
      node('MatMul', ['windows', 'wq'], 'q'),
      node('Softmax', ['q'], 'p', { axis: 1 }),
      node('Reshape', ['p', 's6b'], 'u'),
      node('Transpose', ['u'], 'v', { perm: [0, 1, 3, 2, 4, 5] }),
      node('Reshape', ['v', 's4'], 'n'),
      node('Transpose', ['n'], 'y', { perm: [0, 3, 1, 2] }),
    ],
    weights: [
      ...[ints('s6', [1, 2, 3, 2, 3, 4]), ints('s3', [-1, 9, 4]), floats('wq', [4, 4])],
      ...[ints('s6b', [1, 2, 2, 3, 3, 4]), ints('s4', [1, 6, 6, 4])],
    ],
    image: [4, 6, 6],
  },
  'A class token that is expanded and joined': {
    nodes: [
      node('Reshape', ['x', 's'], 'c'),
      node('Transpose', ['c'], 'r', { perm: [0, 2, 1] }),
      ...classToken,
      node('Concat', ['tokens', 'r'], 'y', { axis: 1 }),
    ],
    weights: [
      ...[ints('s', [0, 4, -1]), ints('i0', [0], []), ints('z', [0]), ints('m1', [-1])],
      floats('token', [1, 1, 4]),
    ],
    rank: 3,
  },
  'Slice backwards': withInputs('Slice', [
    ...[ints('starts', [-1, 3]), ints('ends', [-2147483648, 0]), ints('axes', [3, 1])],
    ints('steps', [-2, -1]),
  ]),
  'Tile, Gather of several': {
    nodes: [node('Tile', ['x', 'repeats'], 't'), node('Gather', ['t', 'chosen'], 'y', { axis: 1 })],
    weights: [ints('repeats', [1, 2, 1, 1]), ints('chosen', [7, 0, 2])],
  },
  'Flatten from the batch, counted from the end': {
    nodes: [node('Flatten', ['x'], 'f', { axis: -3 }), node('Gemm', ['f', 'w'], 'y', { transB: 1 })],
    weights: [floats('w', [2, 252])],
    rank: 2,
  },
  'Constants computed from constants alone': {
    nodes: [
      node('Pow', ['sixteen', 'half'], 'p'),
      node('Range', ['r0', 'r4', 'r1'], 'counted'),
      node('Cast', ['counted'], 'floats', { to: 1 }),
      node('Div', ['floats', 'p'], 'd'),
      node('Reshape', ['d', 's'], 'v'),
      node('Mul', ['w', 'v'], 'scaled'),
      node('Conv', ['x', 'scaled']),
    ],
    weights: [
      ...[floats('sixteen', [], [16]), floats('half', [], [0.5]), ints('s', [4, 1, 1, 1])],
      ...[ints('r0', [1], []), ints('r4', [5], []), ints('r1', [1], []), floats('w', [4, 4, 3, 3])],
    ],
  },
  'Division of float constants': {
    nodes: [
      node('Constant', [], 'a', { value_float: { f: 3 } }),
      node('Constant', [], 'b', { value_float: { f: 2 } }),
      node('Div', ['a', 'b'], 'd'),
      node('Mul', ['x', 'd']),
    ],
  },
  'Quantized weights, their scales by channel': {
    nodes: [node('DequantizeLinear', ['wq', 'ws', 'wz'], 'wd', { axis: 0 }), node('Conv', ['x', 'wd'])],
    weights: [
      {
        ...{ name: 'wq', dims: [3, 4, 2, 2], dataType: onnxTypes.int8 },
        int32Data: Array.from({ length: 48 }, (_, i) => ((i * 37) % 200) - 100),
      },
      floats('ws', [3], [0.01, 0.02, 0.005]),
      { name: 'wz', dims: [3], dataType: onnxTypes.int8, int32Data: [3, -4, 0] },
    ],
    opset: 21,
  },
  'If, with a condition that is known': {
    nodes: [
      node('Shape', ['x'], 's'),
      node('Gather', ['s', 'i1'], 'channels'),
      node('Equal', ['channels', 'four'], 'known'),
      {
        ...node('If', ['known'], 'y'),
        attribute: (['then_branch', 'else_branch'] as const).map((name, i) => ({
          name,
          type: attributeTypes.graph,
          g: {
            name,
            node: [node(i === 0 ? 'Sigmoid' : 'Exp', ['x'], `${name}_y`)],
            output: [valueInfo(`${name}_y`, ['a', 'b', 'c', 'd'])],
          },
        })),
      },
    ],
    weights: [ints('i1', [1], []), ints('four', [4], [])],
  },
  'Resize, cubic, antialias': resize([1, 1, 0.5, 0.6], { mode: 'cubic', antialias: 1 }),
  'Resize, linear, antialias': resize([1, 1, 0.6, 0.4], { mode: 'linear', antialias: 1 }),
  'Resize, cubic, exclude_outside': resize([1, 1, 2, 2], { mode: 'cubic', exclude_outside: 1 }),
  'Resize, half_pixel_symmetric': resize([1, 1, 1.7, 0.6], {
    mode: 'linear',
    coordinate_transformation_mode: 'half_pixel_symmetric',
  }),
  'Conv, strides and asymmetric pads': conv([5, 4, 3, 2], { strides: [2, 1], pads: [1, 0, 2, 1] }),
  'Conv, dilated': conv([5, 4, 3, 3], { dilations: [2, 3], pads: [2, 3, 2, 3] }),
  'Conv, grouped': conv([6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }),
  'Conv, depthwise with a multiplier': conv([8, 1, 3, 3], { group: 4, strides: [2, 2] }),
  'Conv, auto_pad SAME_UPPER': conv([3, 4, 2, 4], { auto_pad: 'SAME_UPPER', strides: [2, 3] }),
  'Conv, auto_pad SAME_LOWER': conv([3, 4, 2, 4], { auto_pad: 'SAME_LOWER' }),
  'Conv, auto_pad VALID, no bias': {
    nodes: [node('Conv', ['x', 'w'], 'y', { auto_pad: 'VALID' })],
    weights: [floats('w', [3, 4, 2, 2])],
  },
  BatchNormalization: withInputs('BatchNormalization', statistics, { epsilon: { f: 0.01 } }),
  'Conv then BatchNormalization': {
    nodes: [
      node('Conv', ['x', 'w'], 'c'),
      node('BatchNormalization', ['c', 'scale', 'shift', 'mean', 'variance']),
    ],
    weights: [floats('w', [4, 4, 3, 3]), ...statistics],
  },
  InstanceNormalization: withInputs('InstanceNormalization', [floats('scale', [4]), floats('shift', [4])]),
  'LayerNormalization between transposes': {
    nodes: [
      node('Transpose', ['x'], 't', { perm: [0, 2, 3, 1] }),
      node('LayerNormalization', ['t', 'scale', 'shift'], 'n', { axis: -1 }),
      node('Transpose', ['n'], 'y', { perm: [0, 3, 1, 2] }),
    ],
    weights: [floats('scale', [4]), floats('shift', [4])],
  },
  LRN: one('LRN', { size: 3, alpha: { f: 0.3 }, beta: { f: 0.6 }, bias: { f: 2 } }),
  'MaxPool, floor': one('MaxPool', { ...kernel, pads: [1, 0, 1, 1] }),
  'MaxPool, ceil_mode': one(
    'MaxPool',
    { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 },
    { image: [4, 8, 10] },
  ),
  'AveragePool, padding not counted': one('AveragePool', { ...kernel, pads: [1, 1, 1, 0] }),
  'AveragePool, padding counted': one('AveragePool', { ...kernel, pads: [1, 1, 1, 0], count_include_pad: 1 }),
  'AveragePool, ceil_mode': one(
    'AveragePool',
    { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 },
    { image: [4, 8, 10] },
  ),
  'AveragePool, SAME_UPPER': one('AveragePool', { ...kernel, auto_pad: 'SAME_UPPER' }),
  GlobalAveragePool: one('GlobalAveragePool'),
  GlobalMaxPool: one('GlobalMaxPool'),
  Relu: one('Relu'),
  LeakyRelu: one('LeakyRelu', { alpha: { f: 0.1 } }),
  PRelu: withInputs('PRelu', [floats('slope', [4, 1, 1])]),
  Elu: one('Elu', { alpha: { f: 0.5 } }),
  Selu: one('Selu'),
  'Selu with its own settings': one('Selu', { alpha: { f: 0.7 }, gamma: { f: 2 } }),
  Sigmoid: one('Sigmoid'),
  HardSigmoid: one('HardSigmoid', { alpha: { f: 0.25 } }),
  HardSwish: one('HardSwish'),
  Tanh: one('Tanh'),
  Softplus: one('Softplus'),
  Mish: one('Mish'),
  Gelu: one('Gelu'),
  'Gelu, tanh': one('Gelu', { approximate: 'tanh' }),
  Erf: one('Erf'),
  Exp: one('Exp'),
  Abs: one('Abs'),
  Neg: one('Neg'),
  'Clip, inputs': withInputs('Clip', [floats('low', [], [-0.23]), floats('high', [], [0.41])]),
  'Clip, attributes': one('Clip', { min: { f: 0 }, max: { f: 6 } }, { opset: 10 }),
  'Add, a vector along channels': withInputs('Add', [floats('c', [4, 1, 1])]),
  'Mul, a picture': withInputs('Mul', [floats('c', [7, 9])]),
  'Sub, from a constant': { nodes: [node('Sub', ['c', 'x'])], weights: [floats('c', [1, 4, 1, 1])] },
  'Div, by a number': withInputs('Div', [floats('c', [], [3])]),
  'Div, a number by it': {
    nodes: [node('Abs', ['x'], 'a'), node('Add', ['a', 'c'], 'b'), node('Div', ['c', 'b'])],
    weights: [floats('c', [1], [2])],
  },
  'Max of three': {
    nodes: [node('Neg', ['x'], 'n'), node('Max', ['x', 'n', 'c'])],
    weights: [floats('c', [1], [0.1])],
  },
  'Mean of two': { nodes: [node('Exp', ['x'], 'n'), node('Mean', ['x', 'n'])] },
  Pow: withInputs('Pow', [floats('c', [], [2])]),
  'Softmax over channels': one('Softmax', { axis: 1 }),
  'Softmax over rows': one('Softmax', { axis: 2 }),
  'LogSoftmax of a vector': { nodes: [node('Flatten', ['x'], 'f'), node('LogSoftmax', ['f'])], rank: 2 },
  'Squeeze-and-excite, with the channels in other axes': {
    nodes: [
      node('ReduceMean', ['x', 'axes'], 'm', { keepdims: 0 }),
      node('Sigmoid', ['m'], 's'),
      node('Unsqueeze', ['s', 'axes'], 'u'),
      node('Mul', ['x', 'u']),
    ],
    weights: [ints('axes', [2, 3])],
  },
  'Concat of channels': { nodes: [node('Relu', ['x'], 'r'), node('Concat', ['r', 'x'], 'y', { axis: 1 })] },
  'Concat of rows': { nodes: [node('Relu', ['x'], 'r'), node('Concat', ['r', 'x'], 'y', { axis: 2 })] },
  'Split, uneven': {
    nodes: [node('Split', ['x', 's'], ['a', 'b'], { axis: 1 }), node('Sub', ['b', 'c'])],
    weights: [ints('s', [1, 3]), floats('c', [3, 1, 1])],
  },
  'Split, even, of columns': {
    nodes: [node('Split', ['x'], ['a', 'b', 'c'], { axis: 3, num_outputs: 3 }), node('Add', ['a', 'c'])],
  },
  'Slice, with steps': withInputs('Slice', [
    ints('starts', [1, -8]),
    ints('ends', [4, 2147483647]),
    ints('axes', [1, 3]),
    ints('steps', [2, 3]),
  ]),
  'Slice, attributes': one('Slice', { starts: [1], ends: [-1], axes: [2] }, { opset: 9 }),
  'Pad, constant': {
    nodes: [node('Pad', ['x', 'p', 'v'])],
    weights: [ints('p', [0, 0, 1, 2, 0, 1, 0, 3]), floats('v', [], [0.7])],
  },
  'Pad, reflect': withInputs('Pad', [ints('p', [0, 0, 2, 1, 0, 0, 1, 3])], { mode: 'reflect' }),
  'Pad, edge, on chosen axes': {
    nodes: [node('Pad', ['x', 'p', '', 'axes'], 'y', { mode: 'edge' })],
    weights: [ints('p', [2, 1]), ints('axes', [3])],
  },
  'Transpose, Reshape and back (channel shuffle)': {
    nodes: [
      node('Reshape', ['x', 's5'], 'r'),
      node('Transpose', ['r'], 't', { perm: [0, 2, 1, 3, 4] }),
      node('Reshape', ['t', 's4']),
    ],
    weights: [ints('s5', [-1, 2, 2, 7, 9]), ints('s4', [0, -1, 7, 9])],
  },
  'Reshape from computed sizes': {
    nodes: [
      node('Shape', ['x'], 's'),
      node('Gather', ['s', 'zero'], 'n', { axis: 0 }),
      node('Unsqueeze', ['n', 'axis'], 'n1'),
      node('Concat', ['n1', 'rest'], 'target', { axis: 0 }),
      node('Reshape', ['x', 'target']),
    ],
    weights: [ints('zero', [0], []), ints('axis', [0]), ints('rest', [-1])],
    rank: 2,
  },
  'Flatten, Gemm with transB, alpha and a bias': {
    nodes: [
      node('Flatten', ['x'], 'f'),
      node('Gemm', ['f', 'w', 'b'], 'y', { transB: 1, alpha: { f: 0.5 } }),
    ],
    weights: [floats('w', [5, 252]), floats('b', [5])],
    rank: 2,
  },
  'MatMul along the last axis': { nodes: [node('MatMul', ['x', 'w'])], weights: [floats('w', [9, 5])] },
  'Gather of one channel': {
    nodes: [node('Gather', ['x', 'i'], 'g', { axis: 1 }), node('Unsqueeze', ['g', 'axis'])],
    weights: [ints('i', [-2], []), ints('axis', [1])],
  },
  'Squeeze of a pooled picture': {
    nodes: [node('GlobalMaxPool', ['x'], 'p'), node('Squeeze', ['p', 'axes'])],
    weights: [ints('axes', [2, -1])],
    rank: 2,
  },
  'ReduceMax of rows': withInputs('ReduceMax', [ints('axes', [2])], { keepdims: 0 }, { rank: 3 }),
  'ReduceSum of channels': withInputs('ReduceSum', [ints('axes', [1])]),
  'Identity, Dropout, Cast, Constant': {
    nodes: [
      node('Identity', ['x'], 'i'),
      node('Dropout', ['i'], 'd'),
      node('Cast', ['d'], 'c', { to: 1 }),
      node('Constant', [], 'k', { value: floats('', [4, 1, 1]) }),
      node('Mul', ['c', 'k']),
    ],
  },
  'Resize, nearest, asymmetric, floor': resize([1, 1, 2, 3], {
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  }),
  'Resize, nearest, half_pixel': resize([1, 1, 1.7, 0.6], {}),
  'Resize, linear, half_pixel': resize([1, 1, 2, 2.5], { mode: 'linear' }),
  'Resize, linear, align_corners': resize([1, 1, 2, 1.5], {
    mode: 'linear',
    coordinate_transformation_mode: 'align_corners',
  }),
  'Resize, cubic': resize([1, 1, 2, 2], {
    mode: 'cubic',
    coordinate_transformation_mode: 'pytorch_half_pixel',
  }),
  'Resize, to a size': {
    nodes: [node('Resize', ['x', '', '', 's'], 'y', { mode: 'linear' })],
    weights: [ints('s', [1, 4, 5, 20])],
  },
  'Resize of version 10': withInputs(
    'Resize',
    [floats('scales', [4], [1, 1, 2, 2])],
    { mode: 'linear' },
    { opset: 10 },
  ),
  Upsample: withInputs('Upsample', [floats('scales', [4], [1, 1, 2, 3])], {}, { opset: 9 }),
};

test.each(Object.keys(examples))('%s', async (name) => {
  const { value, slope } = await differences(examples[name]!);
  expect(value).toBeLessThan(3e-6);
  expect(slope).toBeLessThan(5e-3);
});

// -- files ---------------------------------------------------------------------------------------------------------

const small = (): OnnxModel =>
  modelOf({
    nodes: [
      { ...node('Conv', ['x', 'features.0.weight'], 'c'), name: '/features/features.0/Conv' },
      { ...node('Relu', ['c'], 'r'), name: '/features/features.1/Relu' },
      {
        ...node('Conv', ['r', 'w2'], 'y'),
        name: 'node_conv2d_1',
        metadataProps: [
          { key: 'pkg.torch.onnx.name_scopes', value: "['', 'head', 'head.conv', 'conv2d_1']" },
        ],
      },
    ],
    weights: [floats('features.0.weight', [6, 4, 3, 3]), floats('w2', [2, 6, 1, 1])],
  });

test('functions of the file are looked into', async () => {
  const model = modelOf({
    nodes: [{ ...node('Twice', ['x', 'w'], 'y', { slope: { f: 0.3 } }), domain: 'own' }],
  });
  model.graph!.initializer = [floats('w', [5, 4, 3, 3])];
  model.opsetImport!.push({ domain: 'own', version: 1 });
  const leaky = node('LeakyRelu', ['c'], 'out');
  leaky.attribute = [{ name: 'alpha', type: attributeTypes.float, refAttrName: 'slope' }];
  model.functions = [
    {
      ...{
        name: 'Twice',
        domain: 'own',
        input: ['a', 'k'],
        output: ['out'],
        node: [node('Conv', ['a', 'k'], 'c'), leaky],
      },
    },
  ];
  const network = onnxNetwork(write(model));
  expect(network.layers.map(({ name }) => name)).toEqual([
    'Twice_y/Conv_c',
    'Twice_y/LeakyRelu_out',
    'Twice_y',
  ]);
  const image = [4, 7, 9] as [number, number, number];
  const x = toNhwc(noise(sizeOf(image)), image);
  const [before, after] = ['Twice_y/Conv_c', 'Twice_y'].map((name) => forward(network, x, name));
  expect(tf.max(tf.abs(tf.sub(tf.leakyRelu(before!, 0.3), after!))).dataSync()[0]).toBeLessThan(1e-6);
});

test('a channel axis is followed; constants are no layers', () => {
  const { nodes, weights = [] } = examples['Windows merged into the batch and back (Swin)']!;
  const network = onnxNetwork(write(modelOf({ nodes, weights, image: [4, 6, 6] })));
  const shapeOf = (name: string): string => {
    const { size, channels } = network.layer(name);
    return `${size.join('x')} ${channels}`;
  };
  expect(['Reshape_windows', 'MatMul_q', 'Softmax_p', 'Reshape_n', 'Transpose_y'].map(shapeOf)).toEqual([
    ...['4x9 4', '4x9 4', '4x9 4', '6x6 4', '6x6 4'],
  ]);
  const shuffle = examples['Transpose, Reshape and back (channel shuffle)']!;
  const shuffled = onnxNetwork(write(modelOf(shuffle)));
  expect(shuffled.layers.map(({ size, channels }) => [...size, channels])).toEqual([
    ...[
      [7, 9, 4],
      [7, 9, 4],
      [7, 9, 4],
    ],
  ]);
  const folded = examples['Constants computed from constants alone']!;
  expect(onnxNetwork(write(modelOf(folded))).layers.map(({ kind }) => kind)).toEqual(['Conv']);
});

test('layers go by the names of nodes and of the modules they came from', () => {
  const network = onnxNetwork(write(small()));
  expect(network.layers).toEqual([
    { name: '/features/features.0/Conv', kind: 'Conv', channels: 6, size: [5, 7] },
    { name: '/features/features.1/Relu', kind: 'Relu', channels: 6, size: [5, 7] },
    { name: 'node_conv2d_1', kind: 'Conv', channels: 2, size: [5, 7] },
  ]);
  expect(network.layer('features.0').kind).toBe('Conv');
  expect(network.layer('features.1').kind).toBe('Relu');
  expect(network.layer('features').kind).toBe('Relu');
  expect(network.layer('head.conv').name).toBe('node_conv2d_1');
  expect(() => network.layer('featurs.1')).toThrow(/did you mean "features.1"/);
});

test('weights in other files, in half precision, and as lists of numbers', () => {
  const x = toNhwc(noise(4 * 7 * 9), [4, 7, 9]);
  const expected = forward(onnxNetwork(write(small())), x, 'head').dataSync();
  const error = (model: OnnxModel): number =>
    Math.max(
      ...forward(onnxNetwork(write(model)), x, 'head')
        .dataSync()
        .map((y, i) => Math.abs(y - expected[i]!)),
    );

  const outside = small();
  const [first, second] = outside.graph!.initializer! as [OnnxTensor, OnnxTensor];
  writeFileSync(join(folder, 'weights.data'), Buffer.concat([new Uint8Array(12), first.rawData!]));
  first.externalData = [
    { key: 'location', value: 'weights.data' },
    { key: 'offset', value: '12' },
    { key: 'length', value: String(first.rawData!.length) },
  ];
  first.dataLocation = 1;
  delete first.rawData;
  expect(error(outside)).toBe(0);

  second.floatData = [...new Float32Array(new Uint8Array(second.rawData!).buffer)];
  delete second.rawData;
  expect(error(outside)).toBe(0);

  second.dataType = onnxTypes.float16;
  second.int32Data = [...f16FromFloat32(Float32Array.from(second.floatData))];
  delete second.floatData;
  expect(error(outside)).toBeGreaterThan(0);
  expect(error(outside)).toBeLessThan(2e-3);

  writeFileSync(join(folder, 'weights.data'), new Uint8Array(20));
  expect(() => error(outside)).toThrow(/weights.data ends before the weight "features.0.weight"/);
  rmSync(join(folder, 'weights.data'));
  expect(() => error(outside)).toThrow(/keeps its weights in weights.data, which is missing/);
});

test('a dynamic size takes the nominal one, and any picture that fits', () => {
  const model = small();
  model.graph!.input = [valueInfo('x', ['N', 4, 'H', 'W'])];
  const network = onnxNetwork(write(model), { size: 32 });
  expect(network.layer('head').size).toEqual([30, 30]);
  expect(forward(network, tf.zeros([2, 12, 8, 4]), 'head').shape).toEqual([2, 10, 6, 2]);
  expect(() => forward(network, tf.zeros([1, 2, 8, 4]), 'head')).toThrow(
    /layer "\/features\/features.0\/Conv": a 3x3 window does not fit an input of 2x8: use a larger image/,
  );
});

test('an operator that is not supported is named, and what comes before it can be seen', () => {
  const model = small();
  model.graph!.node!.splice(2, 0, { ...node('Einsum', ['r'], 'e'), name: 'odd' });
  model.graph!.node![3]!.input![0] = 'e';
  const network = onnxNetwork(write(model));
  expect(network.layers.map(({ name }) => name)).toEqual([
    '/features/features.0/Conv',
    '/features/features.1/Relu',
  ]);
  expect(() => network.layer('node_conv2d_1')).toThrow(
    /layer "node_conv2d_1" cannot be computed: the Einsum node "odd" of \d+.onnx: the operator Einsum is not supported/,
  );
  // Also by the names of its module and of its output.
  for (const name of ['head', 'head.conv', 'y', 'odd'])
    expect(() => network.layer(name)).toThrow(/cannot be computed: the Einsum node "odd"/);
  expect(() => network.classLayer).toThrow(/cannot be computed: the Einsum node "odd"/);
  model.graph!.node!.splice(0, 3);
  model.graph!.node![0]!.input![0] = 'x';
  model.graph!.node![0]!.opType = 'Einsum';
  expect(() => onnxNetwork(write(model))).toThrow(/the operator Einsum is not supported/);
});

test('class scores are the output that has no positions; of several, one must be named', () => {
  const head = (name: string, channels: number): OnnxModel['graph'] => ({
    node: [node('Gemm', ['f', `w${name}`], name, { transB: 1 })],
    initializer: [floats(`w${name}`, [channels, 4])],
  });
  const [policy, value] = [head('policy', 7), head('value', 1)];
  const model = modelOf({
    nodes: [
      node('GlobalAveragePool', ['x'], 'p'),
      node('Flatten', ['p'], 'f'),
      ...policy!.node!,
      ...value!.node!,
    ],
    weights: [...policy!.initializer!, ...value!.initializer!],
    outputs: ['policy', 'value'],
    rank: 2,
  });
  expect(() => onnxNetwork(write(model)).classLayer).toThrow(
    /ends in several layers without positions, "Gemm_policy", "Gemm_value": name one of them, as in Gemm_policy:0/,
  );
  model.graph!.output!.pop();
  expect(onnxNetwork(write(model)).classLayer.name).toBe('Gemm_policy');
  // Boxes have positions.
  const boxes = modelOf({
    nodes: [node('Reshape', ['x', 's'], 'r'), node('Transpose', ['r'], 'y', { perm: [0, 2, 1] })],
    weights: [ints('s', [0, 4, -1])],
    rank: 3,
  });
  expect(() => onnxNetwork(write(boxes)).classLayer).toThrow(/does not end in class scores/);
});

test('files that are no networks are reported', () => {
  const path = join(folder, 'no.onnx');
  writeFileSync(path, 'this is no protobuf');
  expect(() => onnxNetwork(path)).toThrow(/is no ONNX file, or a damaged one/);
  writeFileSync(path, '');
  expect(() => onnxNetwork(path)).toThrow(/holds no ONNX graph/);

  const model = small();
  model.graph!.input!.push(valueInfo('more', [1]));
  expect(() => onnxNetwork(write(model))).toThrow(
    /must read one image \[batch, channel, height, width\], not x \[1,4,7,9\], more \[1\]/,
  );

  const dangling = small();
  dangling.graph!.node![1]!.input = ['nowhere'];
  const reason = /nothing that writes "nowhere": the file is damaged/;
  expect(() => onnxNetwork(write(dangling)).layer('features.1')).toThrow(reason);
  expect(onnxNetwork(write(dangling)).layer('features.0').channels).toBe(6);

  const short = small();
  short.graph!.initializer![1]!.rawData = new Uint8Array(8);
  expect(() => onnxNetwork(write(short))).toThrow(
    /the tensor "w2" holds 2 numbers for the shape \[2,6,1,1\]/,
  );
});
