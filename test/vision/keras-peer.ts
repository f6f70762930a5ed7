/** @file Models of tfjs-layers: saved as its tools save them, and compared with what is read of them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { expect } from 'vitest';
import * as tf from '../../src/engine/functions/tfjs.js';
import { f16FromFloat32 } from '../../src/engine/weights/half.js';
import type { WeightLookup } from '../../src/engine/weights/weights.js';
import type { VisionNetwork } from '../../src/vision/network.js';

export type Quantized = 'none' | 'float16' | 'uint8';

/** Writes `model` as TensorFlow.js tools do, the weights in shards of 1000 bytes. */
export async function save(
  folder: string,
  model: tfl.LayersModel,
  name: string,
  quantized: Quantized = 'none',
): Promise<string> {
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

export const lookup =
  (network: VisionNetwork): WeightLookup =>
  (name) =>
    tf.tensor(network.weights.read(name), [...network.weights.shape(name)]);

/** Gives every weight, batch norm's statistics too, values that matter. */
export function randomize(model: tfl.LayersModel): tfl.LayersModel {
  model.setWeights(
    model
      .getWeights()
      .map((w, i) => tf.add(tf.randomUniform(w.shape, -0.4, 0.4, 'float32', i), w.rank === 1 ? 0.5 : 0)),
  );
  return model;
}

/** A layer's output here and there, on the same random images; that of the last layer, where none is named. */
export function compare(
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

export type Layer = (x: tfl.SymbolicTensor) => tfl.SymbolicTensor;
export const apply =
  (layer: tfl.layers.Layer): Layer =>
  (x) =>
    layer.apply(x) as tfl.SymbolicTensor;
export const { layers } = tfl;
