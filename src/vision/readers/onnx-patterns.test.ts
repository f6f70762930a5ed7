/** What exporters write as several nodes of ONNX, against ONNX Runtime. */
import { expect, test } from 'vitest';
import { expectSame, write } from '../../../test/vision/onnx-peer-values.js';
import { type Example, floats, ints, modelOf, node, valueInfo } from '../../../test/vision/small-onnx.js';
import { attributeTypes, type OnnxNode, onnxTypes } from '../../engine/compiler/onnx-proto.js';
import { onnxNetwork } from './onnx.js';

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
  'Constants that are resized and multiplied, as positions are': {
    nodes: [
      node('Resize', ['p', '', '', 'size'], 'resized', { mode: 'cubic' }),
      node('MatMul', ['a', 'b'], 'product'),
      node('Add', ['x', 'resized'], 'sum'),
      node('Add', ['sum', 'product']),
    ],
    weights: [
      ...[floats('p', [1, 4, 3, 3]), floats('a', [1, 7, 2]), floats('b', [2, 9])],
      ints('size', [1, 4, 7, 9]),
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
        name: 'wq',
        dims: [3, 4, 2, 2],
        dataType: onnxTypes.int8,
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
  'LayerNormalization between transposes': {
    nodes: [
      node('Transpose', ['x'], 't', { perm: [0, 2, 3, 1] }),
      node('LayerNormalization', ['t', 'scale', 'shift'], 'n', { axis: -1 }),
      node('Transpose', ['n'], 'y', { perm: [0, 3, 1, 2] }),
    ],
    weights: [floats('scale', [4]), floats('shift', [4])],
  },
  'Squeeze-and-excite, with the channels in other axes': {
    nodes: [
      node('ReduceMean', ['x', 'axes'], 'm', { keepdims: 0 }),
      node('Sigmoid', ['m'], 's'),
      node('Unsqueeze', ['s', 'axes'], 'u'),
      node('Mul', ['x', 'u']),
    ],
    weights: [ints('axes', [2, 3])],
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
};

test.each(Object.entries(examples))('%s', (_name, example) => expectSame(example));

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
  const placed = examples['Constants that are resized and multiplied, as positions are']!;
  expect(onnxNetwork(write(modelOf(placed))).layers.map(({ kind }) => kind)).toEqual(['Add', 'Add']);
});
