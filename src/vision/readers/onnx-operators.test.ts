/** Operators of ONNX, one per file, against ONNX Runtime. */
import { test } from 'vitest';
import { expectSame } from '../../../test/vision/onnx-peer-values.js';
import { type Example, floats, ints, node, type Setting } from '../../../test/vision/small-onnx.js';
import type { OnnxTensor } from '../../engine/compiler/onnx-proto.js';

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

const examples: Record<string, Example> = {
  'ConvTranspose, strided, with output padding': {
    nodes: [
      node('ConvTranspose', ['x', 'w', 'b'], 'y', {
        strides: [2, 3],
        pads: [1, 0, 1, 2],
        output_padding: [1, 1],
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
  'Attention, of heads': {
    nodes: [node('Mul', ['x', 'w'], 'k'), node('Attention', ['x', 'k', 'x'])],
    weights: [floats('w', [1, 4, 1, 1])],
    opset: 23,
  },
  'Attention, heads side by side, scaled and masked': {
    nodes: [
      node('Reshape', ['x', 's'], 'r'),
      node('Transpose', ['r'], 't', { perm: [0, 2, 1] }),
      node('Greater', ['m', 'z'], 'mask'),
      node('Attention', ['t', 't', 't', 'mask'], 'y', {
        q_num_heads: 2,
        kv_num_heads: 2,
        scale: { f: 0.8 },
      }),
    ],
    weights: [ints('s', [1, 4, -1]), floats('m', [63, 63]), floats('z', [], [-0.5])],
    opset: 23,
    rank: 3,
  },
  GroupNormalization: withInputs(
    'GroupNormalization',
    [floats('scale', [4]), floats('shift', [4])],
    { num_groups: 2 },
    { opset: 21 },
  ),
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
  ReduceL1: withInputs('ReduceL1', [ints('axes', [2, 3])]),
  ReduceL2: withInputs('ReduceL2', [ints('axes', [1])]),
  ReduceMin: withInputs('ReduceMin', [ints('axes', [3])]),
  'A weight times an activation': {
    nodes: [node('MatMul', ['w', 'x'])],
    weights: [floats('w', [5, 7])],
  },
  'Slice backwards': withInputs('Slice', [
    ...[ints('starts', [-1, 3]), ints('ends', [-2147483648, 0]), ints('axes', [3, 1])],
    ints('steps', [-2, -1]),
  ]),
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
  Pow: withInputs('Pow', [floats('c', [], [2])]),
  'Softmax over channels': one('Softmax', { axis: 1 }),
  'Softmax over rows': one('Softmax', { axis: 2 }),
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
  'MatMul along the last axis': { nodes: [node('MatMul', ['x', 'w'])], weights: [floats('w', [9, 5])] },
  'ReduceMax of rows': withInputs('ReduceMax', [ints('axes', [2])], { keepdims: 0 }, { rank: 3 }),
  'ReduceSum of channels': withInputs('ReduceSum', [ints('axes', [1])]),
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
  'Tile, Gather of several': {
    nodes: [node('Tile', ['x', 'repeats'], 't'), node('Gather', ['t', 'chosen'], 'y', { axis: 1 })],
    weights: [ints('repeats', [1, 2, 1, 1]), ints('chosen', [7, 0, 2])],
  },
  'Flatten from the batch, counted from the end': {
    nodes: [node('Flatten', ['x'], 'f', { axis: -3 }), node('Gemm', ['f', 'w'], 'y', { transB: 1 })],
    weights: [floats('w', [2, 252])],
    rank: 2,
  },
  'Div, a number by it': {
    nodes: [node('Abs', ['x'], 'a'), node('Add', ['a', 'c'], 'b'), node('Div', ['c', 'b'])],
    weights: [floats('c', [1], [2])],
  },
  'Max of three': {
    nodes: [node('Neg', ['x'], 'n'), node('Max', ['x', 'n', 'c'])],
    weights: [floats('c', [1], [0.1])],
  },
  'Mean of two': { nodes: [node('Exp', ['x'], 'n'), node('Mean', ['x', 'n'])] },
  'LogSoftmax of a vector': { nodes: [node('Flatten', ['x'], 'f'), node('LogSoftmax', ['f'])], rank: 2 },
  'Concat of channels': { nodes: [node('Relu', ['x'], 'r'), node('Concat', ['r', 'x'], 'y', { axis: 1 })] },
  'Concat of rows': { nodes: [node('Relu', ['x'], 'r'), node('Concat', ['r', 'x'], 'y', { axis: 2 })] },
  'Split, uneven': {
    nodes: [node('Split', ['x', 's'], ['a', 'b'], { axis: 1 }), node('Sub', ['b', 'c'])],
    weights: [ints('s', [1, 3]), floats('c', [3, 1, 1])],
  },
  'Split, even, of columns': {
    nodes: [node('Split', ['x'], ['a', 'b', 'c'], { axis: 3, num_outputs: 3 }), node('Add', ['a', 'c'])],
  },
  'Flatten, Gemm with transB, alpha and a bias': {
    nodes: [
      node('Flatten', ['x'], 'f'),
      node('Gemm', ['f', 'w', 'b'], 'y', { transB: 1, alpha: { f: 0.5 } }),
    ],
    weights: [floats('w', [5, 252]), floats('b', [5])],
    rank: 2,
  },
  'Gather of one channel': {
    nodes: [node('Gather', ['x', 'i'], 'g', { axis: 1 }), node('Unsqueeze', ['g', 'axis'])],
    weights: [ints('i', [-2], []), ints('axis', [1])],
  },
  'Squeeze of a pooled picture': {
    nodes: [node('GlobalMaxPool', ['x'], 'p'), node('Squeeze', ['p', 'axes'])],
    weights: [ints('axes', [2, -1])],
    rank: 2,
  },
  'Identity, Dropout, Cast, Constant': {
    nodes: [
      node('Identity', ['x'], 'i'),
      node('Dropout', ['i'], 'd'),
      node('Cast', ['d'], 'c', { to: 1 }),
      node('Constant', [], 'k', { value: floats('', [4, 1, 1]) }),
      node('Mul', ['c', 'k']),
    ],
  },
};

test.each(Object.entries(examples))('%s', (_name, example) => expectSame(example));
