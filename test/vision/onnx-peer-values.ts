/** @file The ONNX reader and ONNX Runtime on the same small files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, expect } from 'vitest';
import { encodeModel, type OnnxModel } from '../../src/engine/compiler/onnx-proto.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import type { VisionNetwork } from '../../src/vision/network.js';
import { onnxNetwork } from '../../src/vision/readers/onnx.js';
import { type Example, modelOf, noise, sizeOf } from './small-onnx.js';

export const folder = mkdtempSync(join(tmpdir(), 'superstim-onnx-'));
beforeAll(() => tf.setBackend('cpu'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
export function write(model: OnnxModel): string {
  const path = join(folder, `${files++}.onnx`);
  writeFileSync(path, encodeModel(model));
  return path;
}

/** The image [channel, height, width] as [1, height, width, channel]. */
export function toNhwc(data: Float32Array, [channels, height, width]: [number, number, number]): tf.Tensor4D {
  return tf.transpose(tf.tensor4d(data, [1, channels, height, width]), [0, 2, 3, 1]);
}

export function forward(
  network: VisionNetwork,
  image: tf.Tensor4D,
  layer: string,
  classToken = false,
): tf.Tensor {
  const lookup = (name: string): tf.Tensor =>
    tf.tensor(network.weights.read(name), [...network.weights.shape(name)]);
  return network.forward(lookup, image, [{ layer, classToken }])[0]!;
}

/** A layer as the file has it where that is tokens: a class token and the map of patches as one axis. */
function tokens(network: VisionNetwork, image: tf.Tensor4D, layer: string): tf.Tensor {
  const map = forward(network, image, layer);
  const patches = tf.reshape(map, [1, -1, map.shape.at(-1)!]);
  if (!network.layer(layer).hasClassToken) return patches;
  return tf.concat([tf.expandDims(forward(network, image, layer, true), 1), patches], 1);
}

/** Largest differences between ONNX Runtime and us: in the output, and in its slope along one direction. */
async function differences(example: Example): Promise<{ value: number; slope: number }> {
  const path = write(modelOf(example));
  const image = example.image ?? [4, 7, 9];
  const x = noise(sizeOf(image), 3);
  const direction = noise(x.length, 11);
  const session = await InferenceSession.create(path);
  const peer = async (step: number): Promise<{ dims: readonly number[]; data: Float32Array }> => {
    const moved = x.map((v, i) => v + step * direction[i]!);
    const { y } = await session.run({ x: new Tensor('float32', moved, [1, ...image]) });
    return { dims: y!.dims, data: y!.data as Float32Array };
  };
  const { dims, data: expected } = await peer(0);
  const network = onnxNetwork(path);
  const ours = (picture: tf.Tensor): tf.Tensor => {
    const layer = example.nodes.at(-1)!.name!;
    const read = dims.length === 3 ? tokens : forward;
    const y = read(network, picture as tf.Tensor4D, layer);
    const planar = dims.length === 4 && y.shape[3] === dims[1] && y.shape[1] === dims[2];
    if (planar) return tf.transpose(y, [0, 3, 1, 2]);
    return dims.length === 3 && y.shape[2] === dims[1] ? tf.transpose(y, [0, 2, 1]) : y;
  };
  const picture = toNhwc(x, image);
  const got = ours(picture);
  expect(got.shape).toEqual(dims);
  const scale = Math.max(...expected.map(Math.abs));
  expect(scale).toBeGreaterThan(0);
  const value = Math.max(...got.dataSync().map((v, i) => Math.abs(v - expected[i]!))) / scale;

  const factors = noise(expected.length, 5);
  const gradient = tf.grad((p) => tf.sum(tf.mul(ours(p), tf.tensor(factors, got.shape))))(picture);
  const slope = tf.sum(tf.mul(gradient, toNhwc(direction, image))).dataSync()[0]!;
  const step = 2e-4;
  const [after, before] = [(await peer(step)).data, (await peer(-step)).data];
  const parts = factors.map((factor, i) => (factor * (after[i]! - before[i]!)) / (2 * step));
  const finite = parts.reduce((a, b) => a + b, 0);
  await session.release();
  return { value, slope: Math.abs(slope - finite) / Math.hypot(...parts) };
}

/** The same values as ONNX Runtime, and a gradient that is the slope of its values. */
export async function expectSame(example: Example): Promise<void> {
  const { value, slope } = await differences(example);
  expect(value).toBeLessThan(3e-6);
  expect(slope).toBeLessThan(5e-3);
}
