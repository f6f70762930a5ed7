/** The Keras reader against tfjs-layers: the same models, built there, saved to disk, and read here. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { f16FromFloat32 } from '../../engine/weights/half.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import type { VisionNetwork } from '../network.js';
import { openVisionNetwork } from '../open.js';
import { preprocess } from '../preprocess.js';

const folder = mkdtempSync(join(tmpdir(), 'superstim-keras-'));
beforeAll(() => tf.setBackend('cpu'));
afterAll(() => rmSync(folder, { recursive: true }));

type Quantized = 'none' | 'float16' | 'uint8';

/** Writes `model` as TensorFlow.js tools do, the weights in shards of 1000 bytes. */
async function save(model: tfl.LayersModel, name: string, quantized: Quantized = 'none'): Promise<string> {
  const path = join(folder, name);
  mkdirSync(path);
  await model.save({
    save: async ({ modelTopology, weightSpecs, weightData }) => {
      let at = 0;
      const parts: Uint8Array[] = [];
      const weights = weightSpecs!.map((spec) => {
        const size = spec.shape.reduce((a, b) => a * b, 1);
        const values = new Float32Array((weightData as ArrayBuffer).slice(at, at + size * 4));
        at += size * 4;
        if (quantized === 'float16') {
          parts.push(new Uint8Array(f16FromFloat32(values).buffer));
          return { ...spec, quantization: { dtype: 'float16', original_dtype: 'float32' } };
        }
        if (quantized === 'uint8') {
          const min = Math.min(...values);
          const scale = (Math.max(...values) - min) / 255 || 1;
          parts.push(Uint8Array.from(values, (x) => Math.round((x - min) / scale)));
          return { ...spec, quantization: { dtype: 'uint8', min, scale, original_dtype: 'float32' } };
        }
        parts.push(new Uint8Array(values.buffer));
        return spec;
      });
      const bytes = Buffer.concat(parts);
      const paths: string[] = [];
      for (let start = 0; start < bytes.length; start += 1000) {
        paths.push(`shard${paths.length}.bin`);
        writeFileSync(join(path, paths.at(-1)!), bytes.subarray(start, start + 1000));
      }
      const manifest = { format: 'layers-model', modelTopology, weightsManifest: [{ paths, weights }] };
      writeFileSync(join(path, 'model.json'), JSON.stringify(manifest));
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' as const } };
    },
  });
  return path;
}

const lookup =
  (network: VisionNetwork): WeightLookup =>
  (name) =>
    tf.tensor(network.weights.read(name), [...network.weights.shape(name)]);

/** Gives every weight, batch norm's statistics too, values that matter. */
function randomize(model: tfl.LayersModel): tfl.LayersModel {
  model.setWeights(
    model
      .getWeights()
      .map((w, i) => tf.add(tf.randomUniform(w.shape, -0.4, 0.4, 'float32', i), w.rank === 1 ? 0.5 : 0)),
  );
  return model;
}

/** A layer's output here and there, on the same random images; that of the last layer, where none is named. */
function compare(
  model: tfl.LayersModel,
  network: VisionNetwork,
  layer = model.layers.at(-1)!.name,
  output = model.outputs[0]!,
): number {
  const [, height, width, channels] = model.inputs[0]!.shape as number[];
  const x = tf.randomUniform([2, height!, width!, channels!], -1, 1, 'float32', 7) as tf.Tensor4D;
  const whole = tfl.model({ inputs: model.inputs, outputs: output });
  const expected = whole.predict(x) as tf.Tensor;
  const [got] = network.forward(lookup(network), x, [{ layer }]);
  expect(got!.shape).toEqual(expected.shape);
  expect(tf.max(tf.abs(expected)).dataSync()[0]).toBeGreaterThan(0.01);
  return tf.max(tf.abs(tf.sub(got!, expected))).dataSync()[0]!;
}

type Layer = (x: tfl.SymbolicTensor) => tfl.SymbolicTensor;
const apply =
  (layer: tfl.layers.Layer): Layer =>
  (x) =>
    layer.apply(x) as tfl.SymbolicTensor;
const { layers } = tfl;

const examples: Record<string, Layer> = {
  'Conv2D, same, strided, ReLU': apply(
    layers.conv2d({ filters: 5, kernelSize: [3, 2], strides: 2, padding: 'same', activation: 'relu' }),
  ),
  'Conv2D, valid, dilated': apply(
    layers.conv2d({ filters: 3, kernelSize: 3, dilationRate: 2, useBias: false }),
  ),
  'Conv2DTranspose, same, strided, ReLU': apply(
    layers.conv2dTranspose({
      filters: 3,
      kernelSize: [3, 2],
      strides: 2,
      padding: 'same',
      activation: 'relu',
    }),
  ),
  'Conv2DTranspose, valid': apply(layers.conv2dTranspose({ filters: 3, kernelSize: 4, strides: 3 })),
  LayerNormalization: apply(layers.layerNormalization({ axis: -1 })),
  DepthwiseConv2D: apply(
    layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: 2, padding: 'same' }),
  ),
  SeparableConv2D: apply(
    layers.separableConv2d({ filters: 6, kernelSize: 3, depthMultiplier: 2, activation: 'tanh' }),
  ),
  BatchNormalization: apply(layers.batchNormalization({ epsilon: 0.01 })),
  'BatchNormalization without scale': apply(layers.batchNormalization({ scale: false })),
  'Activation relu6': apply(layers.activation({ activation: 'relu6' })),
  'Activation hard_sigmoid': apply(layers.activation({ activation: 'hardSigmoid' })),
  'Activation swish': apply(layers.activation({ activation: 'swish' })),
  'Activation elu': apply(layers.activation({ activation: 'elu' })),
  'ReLU with a ceiling': apply(layers.reLU({ maxValue: 0.3 })),
  LeakyReLU: apply(layers.leakyReLU({ alpha: 0.1 })),
  ELU: apply(layers.elu({})),
  PReLU: apply(layers.prelu({ sharedAxes: [1, 2] })),
  Softmax: apply(layers.softmax({ axis: -1 })),
  'MaxPooling2D, same': apply(layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' })),
  'MaxPooling2D, default strides': apply(layers.maxPooling2d({ poolSize: [2, 3] })),
  'AveragePooling2D, same': apply(layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' })),
  'AveragePooling2D, valid': apply(layers.averagePooling2d({ poolSize: 3, strides: 1 })),
  GlobalAveragePooling2D: apply(layers.globalAveragePooling2d({})),
  GlobalMaxPooling2D: apply(layers.globalMaxPooling2d({})),
  ZeroPadding2D: apply(
    layers.zeroPadding2d({
      padding: [
        [1, 2],
        [0, 3],
      ] as never,
    }),
  ),
  Cropping2D: apply(
    layers.cropping2D({
      cropping: [
        [1, 2],
        [0, 3],
      ],
    }),
  ),
  'UpSampling2D, nearest': apply(layers.upSampling2d({ size: [2, 3] })),
  Rescaling: apply(layers.rescaling({ scale: 0.5, offset: -1 })),
  Permute: apply(layers.permute({ dims: [2, 1, 3] })),
  'Flatten, Dense, softmax': (x) =>
    apply(layers.dense({ units: 7, activation: 'softmax' }))(apply(layers.flatten())(x)),
  'Reshape, Dropout': (x) =>
    apply(layers.dropout({ rate: 0.5 }))(apply(layers.reshape({ targetShape: [5, 9, 4] }))(x)),
};

let count = 0;
test.each(Object.keys(examples))('%s', async (name) => {
  const input = tfl.input({ shape: [9, 10, 2] });
  const model = randomize(tfl.model({ inputs: input, outputs: examples[name]!(input) }));
  const network = openVisionNetwork(await save(model, `example${count++}`));
  expect(compare(model, network)).toBeLessThan(2e-6);
});

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
  const network = openVisionNetwork(await save(model, 'branching'));
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
  const path = await save(model, 'lambda');
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
  const network = openVisionNetwork(await save(model, 'nested'));
  expect(network.layer('relu').channels).toBe(4);
  expect(compare(model, network)).toBeLessThan(2e-6);
});

test.each<[Quantized, number]>([
  ['float16', 2e-3],
  ['uint8', 3e-2],
])('weights quantized to %s', async (quantized, tolerance) => {
  const model = branching();
  const network = openVisionNetwork(await save(model, quantized, quantized));
  const error = compare(model, network);
  expect(error).toBeLessThan(tolerance * 10);
  expect(error).toBeGreaterThan(0);
});

test('what Keras 3 writes is the same model', async () => {
  const model = branching();
  const path = await save(model, 'keras3');
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
  const path = await save(model, 'numbers');
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
  const network = openVisionNetwork(await save(model, 'border'));
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
  const network = openVisionNetwork(await save(vgg, 'vgg'));
  // Caffe's blue, green and red means.
  const white = preprocess(tf.ones([1, 1, 1, 3]), network.input.preprocessing!);
  expect([...white.dataSync()].map(Math.round)).toEqual([151, 138, 131]);
  expect(openVisionNetwork(await save(branching(), 'unknown')).input.preprocessing).toBeNull();
});

test('damaged and unsupported models are reported', async () => {
  const path = await save(branching(), 'damaged');
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
