/** Files that ask for more than any computer has, or name what they should not: one sentence, at once. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import {
  attributeTypes,
  encodeModel,
  type OnnxModel,
  type OnnxNode,
  onnxTypes,
} from '../../src/engine/compiler/onnx-proto.js';
import { openVisionNetwork } from '../../src/vision/open.js';
import { graphNetwork, kerasNetwork, onnxModel } from './networks.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-hostile-'));
afterAll(() => rmSync(place, { recursive: true }));

interface Model {
  readonly modelTopology: { readonly node: object[] };
  readonly weightsManifest: { paths: string[] }[];
}

function openOnnx(change: (model: OnnxModel, nodes: OnnxNode[]) => void) {
  const model = onnxModel();
  change(model, model.graph!.node!);
  const file = join(place, 'model.onnx');
  writeFileSync(file, encodeModel(model));
  return openVisionNetwork(file);
}

const number = (model: OnnxModel, name: string, values: number[]): void => {
  const tensor = model.graph!.initializer!.find((each) => each.name === name)!;
  tensor.int64Data = values;
};

test.each<[string, (model: OnnxModel, nodes: OnnxNode[]) => void, RegExp]>([
  [
    'a name',
    (_, [conv]) => {
      conv!.name = 'x'.repeat(50_000_000);
    },
    /a name in .* is not as expected/,
  ],
  [
    'a shape without numbers',
    ({ graph }) => {
      graph!.initializer![0]!.dims = [1e9, 3, 3, 3];
    },
    /holds 108 numbers for/,
  ],
])('%s over the limit', (_name, change, message) => {
  expect(() => openOnnx(change)).toThrow(message);
});

test.each([
  ['model.json', 2 ** 27, /too large|more than/],
  ['large.onnx', 2 ** 31 - 1, /too large|more than/],
])('%s of more bytes than any network has is refused before it is read', (name, most, message) => {
  const file = join(place, name);
  writeFileSync(file, '');
  truncateSync(file, most + 1);
  expect(() => openVisionNetwork(file)).toThrow(UserError);
  expect(() => openVisionNetwork(file)).toThrow(message);
});

test('an .onnx file of millions of empty nodes is refused before it is decoded', () => {
  const nodes = Buffer.alloc(2 * 2 ** 22 + 2, Buffer.from([0x0a, 0]));
  const file = join(place, 'nodes.onnx');
  // The graph's field, and its length as a varint of four bytes.
  const length = [0, 7, 14, 21].map((bits, i) => ((nodes.length >> bits) & 0x7f) | (i < 3 ? 0x80 : 0));
  writeFileSync(file, Buffer.concat([Buffer.from([0x3a, ...length]), nodes]));
  expect(() => openVisionNetwork(file)).toThrow(/units of memory/);
});

/** A node that only numbers go through. */
const numbersNode = (
  opType: string,
  input: string[],
  output: string,
  attribute: object[] = [],
): OnnxNode => ({
  name: output,
  opType,
  input,
  attribute,
  output: [output],
});

test.each<[string, (model: OnnxModel, nodes: OnnxNode[]) => void, RegExp]>([
  ['a border', (model) => number(model, 'pads', [0, 0, 2 ** 31, 0, 0, 0, 0, 1]), /more than the 268435456/],
  ['a resize', (model) => number(model, 'sizes', [1, 4, 1e9, 16]), /resizes 8 rows or columns to 1000000000/],
  [
    'a constant in a small file',
    (_, nodes) => {
      const t = { dims: [1e9], dataType: onnxTypes.float };
      nodes.unshift(numbersNode('Constant', [], 'much', [{ name: 'value', type: attributeTypes.tensor, t }]));
    },
    /holds 0 numbers for the shape \[1000000000\]/,
  ],
  [
    'ConstantOfShape',
    (model, nodes) => {
      number(model, 'rest', [2 ** 40]);
      nodes.unshift(numbersNode('ConstantOfShape', ['rest'], 'much'));
    },
    /makes a constant of \[1099511627776\]/,
  ],
  [
    'a chain of Concats, each of twice the last',
    (_, nodes) => {
      const axis = [{ name: 'axis', type: attributeTypes.int, i: 0 }];
      for (let i = 40; i >= 0; i--) {
        const before = i === 0 ? 'rest' : `twice${i - 1}`;
        nodes.unshift(numbersNode('Concat', [before, before], `twice${i}`, axis));
      }
    },
    /numbers in one array that is worked out while reading|makes a constant of/,
  ],
])('%s over the limit makes its layer unreachable', (_name, change, message) => {
  expect([...openOnnx(change).unreachable.values()].join('\n')).toMatch(message);
});

/** The files of a TensorFlow.js network. */
function writeTfjs({ model, shard }: { model: object; shard: Uint8Array }, folder = place): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'group1-shard1of1.bin'), shard);
  const file = join(folder, 'model.json');
  writeFileSync(file, JSON.stringify(model));
  return file;
}

test('a Split into more parts than there is anything', () => {
  const network = graphNetwork() as { model: Model; shard: Uint8Array };
  const split = network.model.modelTopology.node.find((node) => (node as { op: string }).op === 'Split');
  Object.assign(split!, { attr: { num_split: { i: '100000000' } } });
  const file = writeTfjs(network);
  expect([...openVisionNetwork(file).unreachable.values()].join()).toMatch(/entries into 100000000 parts/);
  const reader = { name: 'late', op: 'Relu', input: [`${(split as { name: string }).name}:99999999`] };
  network.model.modelTopology.node.push(reader);
  expect(() => openVisionNetwork(writeTfjs(network))).toThrow(/\d+ outputs of nodes: at most 200000/);
});

test.each([
  [20, /\d+ layers: at most 200000/],
  [40, /models inside each other: at most 32|\d+ layers: at most 200000/],
  [100, /more than 256 lists inside each other/],
])('%i Keras models inside each other, each called twice', (depth, message) => {
  const image = { name: 'in', batch_input_shape: [null, 4, 4, 3] };
  let config: object = { name: 'relu', activation: 'relu' };
  for (let i = 0; i < depth; i++) {
    const calls = [[['in', 0, 0, {}]], [['sub', 0, 0, {}]]];
    const layers = [
      { class_name: 'InputLayer', name: 'in', config: image, inbound_nodes: [] },
      { class_name: i === 0 ? 'Activation' : 'Functional', name: 'sub', config, inbound_nodes: calls },
    ];
    config = { name: `model${i}`, layers, input_layers: [['in', 0, 0]], output_layers: [['sub', 1, 0]] };
  }
  const model = {
    modelTopology: { model_config: { class_name: 'Functional', config } },
    weightsManifest: [],
  };
  const file = writeTfjs({ model, shard: new Uint8Array() });
  expect(() => openVisionNetwork(file)).toThrow(message);
});

/** What stands at a path in place of a file. */
const noFiles: [string, (path: string) => void, RegExp][] = [
  ['a pipe', (path) => void execFileSync('mkfifo', [path]), /a pipe, a socket or a device/],
  ['a device', (path) => symlinkSync('/dev/zero', path), /a device|leads out of its folder/],
  ['a folder', (path) => mkdirSync(path), /that is a folder|no vision network|holds no network/],
];

describe.skipIf(process.platform === 'win32').each(noFiles)('%s', (_name, make, message) => {
  test.each(['model.json', 'model.onnx', 'model.safetensors'])('given as %s', (name) => {
    const path = join(mkdtempSync(join(place, 'odd-')), name);
    make(path);
    expect(() => openVisionNetwork(path)).toThrow(message);
    expect(() => openVisionNetwork(join(path, '..'))).toThrow(UserError);
  });

  test('as a shard of TensorFlow.js', () => {
    const file = writeTfjs(kerasNetwork(), mkdtempSync(join(place, 'odd-')));
    const shard = join(file, '..', 'group1-shard1of1.bin');
    rmSync(shard);
    make(shard);
    expect(() => openVisionNetwork(file)).toThrow(message);
  });

  test('as the outer weights of an .onnx file', () => {
    const outer = join(place, 'outer.bin');
    rmSync(outer, { recursive: true, force: true });
    make(outer);
    expect(() => openOnnx((model) => keepOutside(model, 'outer.bin'))).toThrow(message);
  });
});

/** Says that the first weights are in a file of their own. */
function keepOutside({ graph }: OnnxModel, location: string): void {
  const [tensor] = graph!.initializer!;
  delete tensor!.rawData;
  Object.assign(tensor!, { dataLocation: 1, externalData: [{ key: 'location', value: location }] });
}

test('the outer weights of an .onnx file stay beside it', () => {
  writeFileSync(join(place, '..', 'superstim-outer.bin'), new Uint8Array(432));
  symlinkSync(join(place, '..', 'superstim-outer.bin'), join(place, 'link.bin'));
  for (const location of ['../superstim-outer.bin', 'link.bin', '/dev/zero'])
    expect(() => openOnnx((model) => keepOutside(model, location))).toThrow(
      /leads out of its folder|absolute/,
    );
  rmSync(join(place, '..', 'superstim-outer.bin'));
});

test('inherited names are no operators', () => {
  for (const opType of ['__proto__', 'constructor', 'toString']) {
    expect(() =>
      openOnnx((_, [conv]) => {
        conv!.opType = opType;
      }),
    ).toThrow(/is not supported/);
  }
});

test('a hundred thousand nodes in the wrong order are read in seconds; a shard stays beside its model', () => {
  const { model, shard } = graphNetwork() as { model: Model; shard: Uint8Array };
  const file = join(place, 'model.json');
  writeFileSync(join(place, 'group1-shard1of1.bin'), shard);
  const count = 100_000;
  const chain = Array.from({ length: count }, (_, i) => ({
    name: `n${i}`,
    op: 'Relu',
    input: [i === 0 ? 'x' : `n${i - 1}`],
  }));
  const long = structuredClone(model);
  for (const node of chain.reverse()) long.modelTopology.node.push(node);
  writeFileSync(file, JSON.stringify(long));
  expect(openVisionNetwork(file).layers.length).toBeGreaterThan(count);
  model.weightsManifest[0]!.paths = ['../shard.bin'];
  writeFileSync(file, JSON.stringify(model));
  expect(() => openVisionNetwork(file)).toThrow(/leads out of its folder/);
});
