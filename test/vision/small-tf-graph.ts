/** @file Small graphs of TensorFlow, written as the converter writes them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '../../src/engine/functions/tfjs.js';
import type { VisionNetwork } from '../../src/vision/network.js';
import type { TfAttribute, TfNode } from '../../src/vision/readers/tf-ops/context.js';

export function noise(shape: readonly number[], seed: number): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 7.233) * 0.8),
    [...shape],
  );
}

export type Setting = number | string | boolean | number[] | string[];

export function attribute(value: Setting): TfAttribute {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  if (typeof value === 'boolean') return { b: value };
  if (typeof value === 'string') return { s: base64(value) };
  if (typeof value === 'number') return Number.isInteger(value) ? { i: String(value) } : { f: value };
  return typeof value[0] === 'string'
    ? { list: { s: (value as string[]).map(base64) } }
    : { list: { i: (value as number[]).map(String) } };
}

export const node = (
  op: string,
  name: string,
  input: string[],
  settings: Record<string, Setting> = {},
): TfNode => ({
  name,
  op,
  input,
  attr: Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, attribute(value)])),
});

export const picture = (shape: number[]): TfNode => ({
  name: 'picture',
  op: 'Placeholder',
  attr: { shape: { shape: { dim: shape.map((size) => ({ size: String(size) })) } } },
});

export type Constants = Record<string, tf.Tensor | number[]>;

let count = 0;
/** Numbers in a list are int32: sizes and axes. */
export function write(folder: string, nodes: TfNode[], constants: Constants): string {
  const path = join(folder, String(count++));
  mkdirSync(path);
  const entries = Object.entries(constants).map(([name, value]) => {
    const whole = Array.isArray(value);
    return {
      spec: { name, shape: whole ? [value.length] : value.shape, dtype: whole ? 'int32' : 'float32' },
      bytes: new Uint8Array(
        whole ? Int32Array.from(value).buffer : Float32Array.from(value.dataSync()).buffer,
      ),
    };
  });
  const consts = entries.map(({ spec }): TfNode => ({ name: spec.name, op: 'Const' }));
  writeFileSync(join(path, 'weights.bin'), Buffer.concat(entries.map(({ bytes }) => bytes)));
  writeFileSync(
    join(path, 'model.json'),
    JSON.stringify({
      format: 'graph-model',
      modelTopology: { node: [...nodes, ...consts] },
      weightsManifest: [{ paths: ['weights.bin'], weights: entries.map(({ spec }) => spec) }],
    }),
  );
  return path;
}

export function forward(
  network: VisionNetwork,
  x: tf.Tensor,
  layer = network.layers.at(-1)!.name,
): tf.Tensor {
  const lookup = (name: string): tf.Tensor =>
    tf.tensor(network.weights.read(name), [...network.weights.shape(name)]);
  return network.forward(lookup, x as tf.Tensor4D, [{ layer }])[0]!;
}
