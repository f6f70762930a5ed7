/** Files that ask for more than any computer has, or name what they should not: one sentence, at once. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { encodeModel, type OnnxModel, type OnnxNode } from '../../src/engine/compiler/onnx-proto.js';
import { openVisionNetwork } from '../../src/vision/open.js';
import { graphNetwork, onnxModel } from './networks.js';

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

test.each<[string, (model: OnnxModel) => void]>([
  ['a border', (model) => number(model, 'pads', [0, 0, 2 ** 31, 0, 0, 0, 0, 1])],
  ['a resize', (model) => number(model, 'sizes', [1, 4, 1e9, 16])],
])('%s over the limit makes its layer unreachable', (_name, change) => {
  expect([...openOnnx(change).unreachable.values()][0]).toMatch(/more than the|too many|impossible/);
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
