/** Every limit of what a network's file may ask for, by a file that is just above it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { encodeModel, type OnnxModel } from '../../src/engine/compiler/onnx-proto.js';
import { GraphBuilder } from '../../src/vision/layers/graph.js';
import { openVisionNetwork } from '../../src/vision/open.js';
import { torchNetwork } from '../../src/vision/torch/index.js';
import { type Example, floats, ints, modelOf, node } from '../vision/small-onnx.js';
import { graphNetwork, kerasNetwork, type TfjsNetwork } from './networks.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-limits-'));
afterAll(() => rmSync(place, { recursive: true }));

/** Why the file is refused, or else its layers. */
function refusal(file: string): string {
  try {
    return [...openVisionNetwork(file).unreachable.values()].join('\n');
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as Error).message;
  }
}

function refusedOnnx(model: OnnxModel): string {
  const file = join(place, 'model.onnx');
  writeFileSync(file, encodeModel(model));
  return refusal(file);
}

function refusedTfjs({ model, shard }: TfjsNetwork): string {
  const folder = join(place, 'tfjs');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'group1-shard1of1.bin'), shard);
  writeFileSync(join(folder, 'model.json'), JSON.stringify(model));
  return refusal(join(folder, 'model.json'));
}

const many = 200_001;
const relu = node('Relu', ['x']);

const examples: Record<string, [Example, RegExp]> = {
  'numbers that are counted': [
    {
      nodes: [node('Range', ['from', 'to', 'by'], 'k'), relu],
      weights: [ints('from', [0], []), ints('to', [2 ** 20 + 1], []), ints('by', [1], [])],
    },
    /counts from 0 to 1048577 by 1/,
  ],
  'a product of constants': [
    {
      nodes: [node('MatMul', ['a', 'b'], 'k'), relu],
      weights: [floats('a', [256, 257]), floats('b', [257, 256])],
    },
    /multiplies constants that are no small matrices/,
  ],
  'repeated columns': [
    { nodes: [node('Tile', ['x', 'repeats'])], weights: [ints('repeats', [1, 1, 1, 120_000])] },
    /repeats 9 entries 120000 times/,
  ],
  'an expanded constant': [
    {
      nodes: [node('Expand', ['one', 'shape'], 'k'), relu],
      weights: [floats('one', [1, 1]), ints('shape', [1025, 1024])],
    },
    /makes a constant of \[1025,1024\]: at most 1048576/,
  ],
  'a padded constant': [
    {
      nodes: [node('Pad', ['one', 'pads'], 'k'), relu],
      weights: [floats('one', [1, 1]), ints('pads', [1024, 0, 0, 1023])],
    },
    /makes a constant of \[1025,1024\]: at most 1048576/,
  ],
  ConstantOfShape: [
    { nodes: [node('ConstantOfShape', ['shape'], 'k'), relu], weights: [ints('shape', [1025, 1024])] },
    /makes a constant of \[1025,1024\]: at most 1048576/,
  ],
  'numbers, over all nodes': [
    {
      nodes: [...Array.from({ length: 4097 }, (_, i) => node('Identity', ['n'], `n${i}`)), relu],
      weights: [ints('n', new Array<number>(4096).fill(1))],
    },
    /16781312 numbers that are worked out while reading: at most 16777216/,
  ],
  'axes of a stored array': [
    { nodes: [node('Mul', ['x', 'w'])], weights: [floats('w', new Array<number>(17).fill(1))] },
    /the tensor "w" holds 1 numbers for the shape \[(1,)+…\]/,
  ],
  'axes of an array that is computed': [
    { nodes: [node('Unsqueeze', ['x', 'axes'])], weights: [ints('axes', [...Array(13).keys()])] },
    /17 axes/,
  ],
  'axes that are reordered': [
    {
      nodes: [
        node('Reshape', ['w', 'shape'], 'r'),
        node('Transpose', ['r'], 't', { perm: [...Array(17).keys()] }),
        relu,
      ],
      weights: [floats('w', [4097]), ints('shape', [...new Array<number>(16).fill(1), 4097])],
    },
    /are no order of those of/,
  ],
  nodes: [{ nodes: new Array(many).fill(relu) }, /200001 nodes in .*: at most 200000/],
  arrays: [{ nodes: [relu], weights: new Array(many).fill({}) }, /200001 arrays in .*: at most 200000/],
  'channels of a picture': [
    { nodes: [relu], image: [4097, 9, 9] },
    /4097 channels of a picture: at most 4096/,
  ],
  'channels that are normalized across': [
    {
      nodes: [node('Concat', ['x', 'x'], 'c', { axis: 1 }), node('LRN', ['c'], 'y', { size: 3 })],
      image: [2049, 1, 1],
    },
    /4098 channels normalized across: at most 4096/,
  ],
  'a window with zeros between its entries': [
    {
      nodes: [node('Conv', ['x', 'w'], 'y', { dilations: [2 ** 14, 2 ** 14] })],
      weights: [floats('w', [4, 4, 3, 3])],
    },
    /makes an array of \[49152,49152,4,4\], more than the 268435456 entries/,
  ],
  'entries of a picture': [
    { nodes: [relu], image: [3, 2 ** 14, 2 ** 14] },
    /more than the 268435456 entries/,
  ],
};

test.each(Object.entries(examples))('of ONNX: %s', (_name, [example, message]) => {
  expect(refusedOnnx(modelOf(example))).toMatch(message);
});

test('of ONNX: functions inside each other', () => {
  const model = modelOf({ nodes: [{ ...node('Own', ['x']), domain: 'own' }] });
  model.opsetImport!.push({ domain: 'own', version: 1 });
  const body = [{ ...node('Own', ['a'], 'b'), domain: 'own' }];
  model.functions = [{ name: 'Own', domain: 'own', input: ['a'], output: ['b'], node: body }];
  expect(refusedOnnx(model)).toMatch(/33 graphs inside each other: at most 32/);
});

/** Puts a value into a model.json. */
function changed(network: TfjsNetwork, path: string, value: unknown): TfjsNetwork {
  const keys = path.split('.');
  const parent = keys.slice(0, -1).reduce((at, key) => (at as never)[key], network.model) as object;
  Object.assign(parent, { [keys.at(-1)!]: value });
  return network;
}

const long = 'x'.repeat(1001);
const deep = `${'s/'.repeat(65)}x`;
const layers = 'modelTopology.model_config.config.layers';

type Change = [path: string, value: unknown, message?: RegExp];

describe.each<[string, () => TfjsNetwork, Change[]]>([
  [
    'a GraphModel',
    graphNetwork,
    [
      ['weightsManifest.0.paths', new Array(10_001).fill('a')],
      ['weightsManifest.0.paths.0', long],
      ['weightsManifest.0.weights', new Array(many).fill({ name: 'a', shape: [], dtype: 'int32' })],
      ['weightsManifest.0.weights.0.name', long],
      ['weightsManifest.0.weights.0.dtype', long],
      ['weightsManifest.0.weights.0.shape', new Array(17).fill(1)],
      ['modelTopology.node', new Array(many).fill({ name: 'a', op: 'Relu' })],
      ['modelTopology.node.0.name', long],
      ['modelTopology.node.0.input', new Array(many).fill('a')],
      ['modelTopology.node.0.attr', { padding: { s: long } }],
      ['modelTopology.node.0.attr', { padding: { i: long } }],
      ['modelTopology.node.0.attr', { fused_ops: { list: { s: [long] } } }],
      ['modelTopology.node.11.name', deep, /parts of the name "s\/s/],
    ],
  ],
  [
    'a LayersModel',
    kerasNetwork,
    [
      [layers, new Array(many).fill({ class_name: 'ReLU', name: 'a', config: {} })],
      [`${layers}.1.inbound_nodes`, new Array(many).fill([])],
      [`${layers}.0.config.batch_input_shape`, new Array(17).fill(1)],
      ['weightsManifest.0.weights.0.name', deep, /66 parts of the name "s\/s/],
    ],
  ],
])('of %s', (_title, network, cases) => {
  test.each(cases.map((change) => ({ name: change[0], change })))('$name', ({ change }) => {
    const [path, value, message = /is not as expected.*: Too big/] = change;
    expect(refusedTfjs(changed(network(), path, value))).toMatch(message);
  });
});

/** Models of Keras, each in the next, which is called once. */
function nested(className: string, depth: number): TfjsNetwork {
  const image = { name: 'in', batch_input_shape: [null, 4, 4, 3] };
  const first = className === 'Functional' ? [{ class_name: 'InputLayer', config: image }] : [];
  let inner: object = { class_name: 'ReLU', name: 'inner', config: { name: 'inner' } };
  for (let i = 0; i < depth; i++) {
    const layers = [...first, { ...inner, ...(first.length > 0 && { inbound_nodes: [[['in', 0, 0, {}]]] }) }];
    const ends = first.length > 0 && { input_layers: [['in', 0, 0]], output_layers: [['inner', 0, 0]] };
    inner = { class_name: className, name: 'inner', config: { name: 'inner', layers, ...ends } };
  }
  const { config } = inner as { config: object };
  const model_config = { class_name: className, config };
  return { model: { modelTopology: { model_config }, weightsManifest: [] }, shard: new Uint8Array() };
}

// Of the first, where it is asked what picture they take; of the other, where they are computed.
test.each(['Sequential', 'Functional'])('of %s models inside each other', (className) => {
  console.log(
    refusedTfjs(nested(className, 34)).slice(0, 300),
    '|',
    refusedTfjs(nested(className, 30)).slice(0, 300),
  );
  expect(refusedTfjs(nested(className, 34))).toMatch(/33 models inside each other: at most 32/);
  expect(refusedTfjs(nested(className, 30))).not.toMatch(/inside each other/);
});

test('of any network: operations, and arrays of PyTorch', () => {
  const graph = new GraphBuilder([1, 1, 1]);
  const add = () => graph.add({ kind: 'activation', name: 'relu' }, graph.input);
  for (let i = 1; i < 200_000; i++) add();
  expect(add).toThrow('200001 operations: at most 200000');
  const names = new Array<string>(many).fill('a');
  expect(() => torchNetwork({ names } as never)).toThrow('200001 arrays of weights: at most 200000');
});
