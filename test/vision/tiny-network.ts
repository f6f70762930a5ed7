/** @file A network of two convolutions, small enough to render in a moment, in memory and as a TFJS folder. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../src/core/random.js';
import { MemoryWeights, type WeightArray } from '../../src/engine/weights/weights.js';
import { GraphBuilder } from '../../src/vision/layers/graph.js';
import { param } from '../../src/vision/layers/params.js';
import { VisionNetwork } from '../../src/vision/network.js';
import { range } from '../../src/vision/preprocess.js';

const window = { size: [3, 3], strides: [1, 1], dilations: [1, 1], padding: 'same' } as const;

/** Channel 5 of `two` is silent at every grey start but can be woken; channel 6 is dead whatever the picture. */
export function tinyWeights(): Map<string, WeightArray> {
  const random = new Random(12);
  const array = (scale: number, ...shape: number[]): WeightArray => ({
    shape,
    data: random.normals(shape.reduce((a, b) => a * b, 1)).map((x) => x * scale),
  });
  const two = array(0.15, 3, 3, 8, 8);
  const biasTwo = array(0.1, 8);
  // The last axis of [3, 3, in, out] is the channel.
  for (let k = 6; k < two.data.length; k += 8) two.data[k] = -Math.abs(two.data[k]!);
  biasTwo.data[6] = -1;
  biasTwo.data[5] = -1.2;
  return new Map([
    ['one/kernel', array(0.3, 3, 3, 3, 8)],
    ['one/bias', array(0.1, 8)],
    ['two/kernel', two],
    ['two/bias', biasTwo],
    ['scores/kernel', array(0.3, 8, 4)],
    ['scores/bias', array(0.1, 4)],
  ]);
}

/** Layers `one` and `two` (8 channels each, after a ReLU) and the class scores `scores` (4). */
export function tinyNetwork(): VisionNetwork {
  const weights = new MemoryWeights(tinyWeights());
  const g = new GraphBuilder([32, 32, 3]);
  const p = (name: string) => param(weights, name);
  const conv = (name: string, x: number): number => {
    const y = g.add(
      { kind: 'conv', kernel: p(`${name}/kernel`), bias: p(`${name}/bias`), window, groups: 1 },
      x,
    );
    return g.layer(name, g.add({ kind: 'activation', name: 'relu' }, y));
  };
  const two = conv('two', conv('one', g.input));
  const pooled = g.add({ kind: 'reduce', name: 'mean', axes: [1, 2], keepDims: false }, two);
  const scores = g.add({ kind: 'dense', kernel: p('scores/kernel'), bias: p('scores/bias') }, pooled);
  g.layer('scores', g.add({ kind: 'softmax' }, scores), 'dense, softmax');
  return new VisionNetwork({
    name: 'tiny',
    graph: g.build(),
    weights,
    input: { height: 32, width: 32, channels: 3, preprocessing: range(-1, 1) },
  });
}

/** The same as Keras would save it for TensorFlow.js. */
export function writeTinyModel(folder: string): string {
  mkdirSync(folder, { recursive: true });
  const weights = [...tinyWeights()];
  const layer = (class_name: string, name: string, config: object) => ({
    class_name,
    config: { name, ...config },
  });
  const conv = { kernel_size: [3, 3], strides: [1, 1], padding: 'same', activation: 'relu', filters: 8 };
  const modelTopology = {
    model_config: {
      class_name: 'Sequential',
      config: {
        name: 'tiny',
        layers: [
          layer('Rescaling', 'range', { scale: 1 / 127.5, offset: -1, batch_input_shape: [null, 32, 32, 3] }),
          layer('Conv2D', 'one', conv),
          layer('Conv2D', 'two', conv),
          layer('GlobalAveragePooling2D', 'pool', {}),
          layer('Dense', 'scores', { units: 4, activation: 'softmax' }),
        ],
      },
    },
  };
  const manifest = weights.map(([name, { shape }]) => ({ name, shape, dtype: 'float32' }));
  const bytes = weights.map(([, { data }]) => Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  writeFileSync(join(folder, 'group1-shard1of1.bin'), Buffer.concat(bytes));
  writeFileSync(
    join(folder, 'model.json'),
    JSON.stringify({
      format: 'layers-model',
      modelTopology,
      weightsManifest: [{ paths: ['group1-shard1of1.bin'], weights: manifest }],
    }),
  );
  return folder;
}
