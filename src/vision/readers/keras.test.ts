/** The Keras reader against tfjs-layers: the same models, built there, saved to disk, and read here. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  apply,
  compare,
  layers,
  lookup,
  type Quantized,
  randomize,
  save,
} from '../../../test/vision/keras-peer.js';
import { compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { openVisionNetwork } from '../open.js';
import { preprocess } from '../preprocess.js';

const folder = mkdtempSync(join(tmpdir(), 'superstim-keras-'));
beforeAll(() => tf.setBackend('cpu'));
afterAll(() => rmSync(folder, { recursive: true }));

const conv = (name: string, filters: number): tfl.layers.Layer =>
  layers.conv2d({ name, filters, kernelSize: 3, padding: 'same' });

/** Branches that meet in every way, and a layer called twice. */
function branching(): tfl.LayersModel {
  const input = tfl.input({ shape: [8, 8, 3], name: 'picture' });
  const twice = conv('twice', 3);
  const a = twice.apply(input) as tfl.SymbolicTensor;
  const b = twice.apply(a) as tfl.SymbolicTensor;
  const parts = [
    layers.add().apply([a, b, input]),
    layers.multiply().apply([a, b]),
    layers.average().apply([a, input, b]),
    layers.maximum().apply([a, b]),
    layers.minimum().apply([a, b]),
  ] as tfl.SymbolicTensor[];
  const joined = layers.concatenate({ name: 'joined' }).apply(parts) as tfl.SymbolicTensor;
  return randomize(tfl.model({ inputs: input, outputs: apply(conv('last', 4))(joined), name: 'branching' }));
}

test('branches meet, and layers may be called twice', async () => {
  const model = branching();
  const network = openVisionNetwork(await save(folder, model, 'branching'));
  expect(network.layers.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['twice', 'twice#1', 'joined', 'last']),
  );
  expect(network.layer('joined')).toEqual({
    name: 'joined',
    kind: 'Concatenate',
    channels: 15,
    size: [8, 8],
  });
  expect(compare(model, network)).toBeLessThan(2e-6);
});

test('a layer that is not supported loses only what lies behind it', async () => {
  const model = branching();
  const path = await save(folder, model, 'lambda');
  const file = join(path, 'model.json');
  const json = JSON.parse(readFileSync(file, 'utf8'));
  const config = json.modelTopology.config;
  config.layers.find(({ name }: { name: string }) => name.startsWith('average')).class_name = 'Lambda';
  writeFileSync(file, JSON.stringify(json));
  const network = openVisionNetwork(path);
  expect(network.layers).toHaveLength(6);
  for (const { name } of network.layers) {
    const [layer, call = 0] = name.split('#');
    const output = model.getLayer(layer!).getOutputAt(Number(call)) as tfl.SymbolicTensor;
    expect(compare(model, network, name, output), name).toBeLessThan(2e-6);
  }
  for (const lost of ['joined', 'last'])
    expect(() => network.layer(lost)).toThrow(/cannot be computed: the layer "average.*" is a Lambda/);
});

test('a Sequential with a model inside', async () => {
  const inner = tfl.sequential({
    layers: [
      layers.conv2d({ name: 'inner', filters: 4, kernelSize: 3, inputShape: [8, 8, 3] }),
      layers.reLU({ name: 'relu' }),
    ],
  });
  const model = randomize(
    tfl.sequential({ layers: [inner, layers.flatten(), layers.dense({ units: 5, name: 'top' })] }),
  );
  const network = openVisionNetwork(await save(folder, model, 'nested'));
  expect(network.layer('relu').channels).toBe(4);
  expect(compare(model, network)).toBeLessThan(2e-6);
});

test.each<[Quantized, number]>([
  ['float16', 2e-3],
  ['uint8', 3e-2],
])('weights quantized to %s', async (quantized, tolerance) => {
  const model = branching();
  const network = openVisionNetwork(await save(folder, model, quantized, quantized));
  const error = compare(model, network);
  expect(error).toBeLessThan(tolerance * 10);
  expect(error).toBeGreaterThan(0);
});

test('what Keras 3 writes is the same model', async () => {
  const model = branching();
  const path = await save(folder, model, 'keras3');
  const file = join(path, 'model.json');
  const json = JSON.parse(readFileSync(file, 'utf8'));
  json.modelTopology.keras_version = '3.4.1';
  for (const layer of json.modelTopology.config.layers) {
    if (layer.class_name === 'InputLayer') {
      layer.config.batch_shape = layer.config.batch_input_shape;
      delete layer.config.batch_input_shape;
    }
    layer.inbound_nodes = layer.inbound_nodes.map((node: unknown[][]) => {
      const tensors = node.map((history) => ({
        class_name: '__keras_tensor__',
        config: { shape: [null], dtype: 'float32', keras_history: history.slice(0, 3) },
      }));
      return { args: tensors.length === 1 ? tensors : [tensors], kwargs: {} };
    });
  }
  writeFileSync(file, JSON.stringify(json));
  expect(compare(model, openVisionNetwork(path))).toBeLessThan(2e-6);
});

test('Keras 3 keeps numbers among the inputs of a layer', async () => {
  const input = tfl.input({ shape: [4, 4, 2] });
  const model = tfl.model({
    inputs: input,
    outputs: layers.add({ name: 'sum' }).apply([input, input]) as tfl.SymbolicTensor,
  });
  const path = await save(folder, model, 'numbers');
  const file = join(path, 'model.json');
  const json = JSON.parse(readFileSync(file, 'utf8'));
  const [first, sum] = json.modelTopology.config.layers;
  const tensor = { class_name: '__keras_tensor__', config: { keras_history: [first.config.name, 0, 0] } };
  sum.inbound_nodes = [{ args: [[tensor, 3.5]], kwargs: {} }];
  writeFileSync(file, JSON.stringify(json));
  const network = openVisionNetwork(path);
  const [got] = network.forward(lookup(network), tf.ones([1, 4, 4, 2]), [{ layer: 'sum', channels: [1] }]);
  expect([...got!.dataSync()]).toEqual(new Array(16).fill(4.5));
});

test('a border of zeros before a max pool counts, compiled too', async () => {
  const input = tfl.input({ shape: [4, 4, 3] });
  const negated = apply(layers.conv2d({ filters: 2, kernelSize: 1, useBias: false }))(input);
  const padded = apply(layers.zeroPadding2d({ padding: 1 }))(negated);
  const model = tfl.model({
    inputs: input,
    outputs: apply(layers.maxPooling2d({ poolSize: 3, strides: 2, name: 'pool' }))(padded),
  });
  model.setWeights([tf.fill([1, 1, 3, 2], -1)]);
  const network = openVisionNetwork(await save(folder, model, 'border'));
  const step = await compile(
    ({ x }, weights) => ({ y: network.forward(weights, x as tf.Tensor4D, [{ layer: 'pool' }])[0]! }),
    { inputs: { x: { shape: [1, 4, 4, 3] } }, weights: network.weights },
  );
  const { y } = await step.run({ x: new Float32Array(48).fill(1) });
  step.dispose();
  [0, 0, 0, 0, 0, 0, -3, -3].forEach((value, i) => {
    expect(y![i]).toBeCloseTo(value, 30);
  });
});

test('known networks know what they read', async () => {
  const input = tfl.input({ shape: [32, 32, 3] });
  const vgg = tfl.model({
    inputs: input,
    outputs: apply(layers.maxPooling2d({ poolSize: 2, name: 'block5_pool' }))(
      apply(conv('block1_conv1', 4))(input),
    ),
  });
  const network = openVisionNetwork(await save(folder, vgg, 'vgg'));
  // Caffe's blue, green and red means.
  const white = preprocess(tf.ones([1, 1, 1, 3]), network.input.preprocessing!);
  expect([...white.dataSync()].map(Math.round)).toEqual([151, 138, 131]);
  expect(openVisionNetwork(await save(folder, branching(), 'unknown')).input.preprocessing).toBeNull();
});

test('damaged and unsupported models are reported', async () => {
  const path = await save(folder, branching(), 'damaged');
  const file = join(path, 'model.json');
  const text = readFileSync(file, 'utf8');
  const open = () => openVisionNetwork(path);

  const json = JSON.parse(text);
  const layersOf = (): { class_name: string; name: string }[] => json.modelTopology.config.layers;
  layersOf()[1]!.class_name = 'Lambda';
  writeFileSync(file, JSON.stringify(json));
  expect(open).toThrow(/the layer "twice" is a Lambda, which is not supported/);

  writeFileSync(file, text.slice(0, 100));
  expect(open).toThrow(/model.json is no JSON/);
  writeFileSync(file, '{}');
  expect(open).toThrow(/lacks modelTopology or weightsManifest/);

  writeFileSync(file, text.replaceAll('twice/kernel', 'other/kernel'));
  expect(() => open().layer('twice')).toThrow(/layer "twice": the model's weights have no "twice\/kernel"/);

  writeFileSync(file, text);
  const shard = join(path, 'shard1.bin');
  truncateSync(shard, 500);
  expect(open).toThrow(/the download is incomplete or damaged/);
  rmSync(shard);
  expect(open).toThrow(/the weights file shard1.bin is missing/);
  for (const name of readdirSync(path)) rmSync(join(path, name));
  expect(open).toThrow(/holds no vision network/);
  expect(() => openVisionNetwork(join(path, 'nowhere'))).toThrow(/there is no file or folder/);
});
