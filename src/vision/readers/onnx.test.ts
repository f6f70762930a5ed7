/** Files of ONNX: names, weights, outputs, and what is wrong with them. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { folder, forward, toNhwc, write } from '../../../test/vision/onnx-peer-values.js';
import { floats, ints, modelOf, node, noise, sizeOf, valueInfo } from '../../../test/vision/small-onnx.js';
import {
  attributeTypes,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  onnxTypes,
} from '../../engine/compiler/onnx-proto.js';
import * as tf from '../../engine/functions/tfjs.js';
import { f16FromFloat32 } from '../../engine/weights/half.js';
import { range } from '../preprocess.js';
import { onnxNetwork } from './onnx.js';

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

test('layers go by the names of nodes and of the modules they came from', () => {
  const network = onnxNetwork(write(small()));
  expect(network.layers).toEqual([
    { name: '/features/features.0/Conv', kind: 'Conv', channels: 6, size: [5, 7], module: 'features.0' },
    { name: '/features/features.1/Relu', kind: 'Relu', channels: 6, size: [5, 7], module: 'features.1' },
    { name: 'node_conv2d_1', kind: 'Conv', channels: 2, size: [5, 7], module: 'head.conv' },
  ]);
  expect(network.layer('features.0').kind).toBe('Conv');
  expect(network.layer('features.1').kind).toBe('Relu');
  expect(network.layer('features').kind).toBe('Relu');
  expect(network.layer('head.conv').name).toBe('node_conv2d_1');
  expect(() => network.layer('featurs.1')).toThrow(/did you mean "features.1"/);
});

test('pictures of networks of Ultralytics are from 0 to 1', () => {
  const nodes = [node('Conv', ['x', 'w'], 'y')];
  const colour = modelOf({ nodes, weights: [floats('w', [6, 3, 3, 3])], image: [3, 7, 9] });
  const by = (author: string) =>
    onnxNetwork(write({ ...colour, metadataProps: [{ key: 'author', value: author }] })).input;
  expect(by('Ultralytics')).toMatchObject({ preprocessing: range(0, 1) });
  expect(by('somebody').preprocessing).toBeNull();
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
      name: 'Twice',
      domain: 'own',
      input: ['a', 'k'],
      output: ['out'],
      node: [node('Conv', ['a', 'k'], 'c'), leaky],
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

test('activation functions that are spelled in several nodes are one operation', () => {
  const half = [floats('h', [], [0.5]), floats('one', [], [1]), floats('r', [], [Math.SQRT2])];
  const scaled = [floats('c', [], [0.044715]), floats('k', [], [Math.sqrt(2 / Math.PI)])];
  const spellings: Record<string, readonly [OnnxNode[], OnnxTensor[]]> = {
    gelu: [
      [
        node('Div', ['x', 'r'], 'd'),
        node('Erf', ['d'], 'e'),
        node('Add', ['e', 'one'], 'a'),
        node('Mul', ['x', 'a'], 'm'),
        node('Mul', ['m', 'h']),
      ],
      half,
    ],
    'gelu-tanh': [
      [
        node('Mul', ['x', 'x'], 'square'),
        node('Mul', ['square', 'x'], 'cube'),
        node('Mul', ['c', 'cube'], 's'),
        node('Add', ['x', 's'], 'a'),
        node('Mul', ['a', 'k'], 'b'),
        node('Tanh', ['b'], 't'),
        node('Add', ['t', 'one'], 'u'),
        node('Mul', ['x', 'h'], 'half'),
        node('Mul', ['half', 'u']),
      ],
      [...half, ...scaled],
    ],
    'gelu-quick': [
      [node('Mul', ['x', 'q'], 's'), node('Sigmoid', ['s'], 'g'), node('Mul', ['g', 'x'])],
      [floats('q', [], [1.702])],
    ],
    silu: [[node('Sigmoid', ['x'], 's'), node('Mul', ['x', 's'])], []],
    'hard-swish': [[node('HardSigmoid', ['x'], 's', { alpha: { f: 1 / 6 } }), node('Mul', ['x', 's'])], []],
    mish: [[node('Softplus', ['x'], 's'), node('Tanh', ['s'], 't'), node('Mul', ['x', 't'])], []],
  };
  for (const [name, [nodes, weights]] of Object.entries(spellings)) {
    const { graph } = onnxNetwork(write(modelOf({ nodes, weights })));
    const { op, inputs } = graph.nodes[graph.named.at(-1)!.node]!;
    expect([op, inputs]).toEqual([{ kind: 'activation', name }, [0]]);
  }
  const gated = modelOf({
    nodes: [node('Sigmoid', ['x'], 's'), node('Conv', ['x', 'w'], 'c'), node('Mul', ['c', 's'])],
    weights: [floats('w', [4, 4, 1, 1])],
  });
  expect(onnxNetwork(write(gated)).graph.nodes.at(-1)!.op.kind).toBe('multiply');
});
