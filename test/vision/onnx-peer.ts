/** @file Every layer of an .onnx file, computed by ONNX Runtime and by us. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { compile } from '../../src/engine/compile.js';
import { decodeModel, encodeModel, onnxTypes } from '../../src/engine/compiler/onnx-proto.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import type { VisionNetwork } from '../../src/vision/network.js';

export interface LayerDifference {
  readonly layer: string;
  /** Largest difference, over the largest value. */
  readonly difference: number;
}

/**
 * Compares each layer that a network lists. Layers are listed with their channels last: entries are compared in that
 * order where the file's array is an image or has it, else as sorted lists.
 *
 * @param picture - [height, width, channels], as the network reads it
 */
export async function compareLayers(
  path: string,
  network: VisionNetwork,
  picture: Float32Array,
): Promise<LayerDifference[]> {
  const model = decodeModel(readFileSync(path));
  const { graph } = model;
  const named = new Map(
    (graph!.node ?? []).map((node) => [node.name || node.output?.[0] || '', node.output![0]!]),
  );
  const layers = network.layers.filter(({ name }) => named.has(name));
  graph!.output = layers.map(({ name }) => ({ name: named.get(name)! }));
  const session = await InferenceSession.create(encodeModel(model), {
    graphOptimizationLevel: 'basic',
    logSeverityLevel: 4,
  });
  const { height, width, channels } = network.input;
  const stored = new Set((graph!.initializer ?? []).map(({ name }) => name));
  const input = graph!.input!.find(({ name }) => !stored.has(name))!;
  const { elemType, shape } = input.type!.tensorType!;
  const isPlanar = shape!.dim![1]!.dimValue === channels;
  const area = height * width;
  const planar = picture.map((_, k) => picture[(k % area) * channels + Math.floor(k / area)]!);
  const data = isPlanar ? planar : picture;
  const dims = isPlanar ? [1, channels, height, width] : [1, height, width, channels];
  const fed =
    elemType === onnxTypes.uint8
      ? new Tensor('uint8', Uint8Array.from(data), dims)
      : new Tensor('float32', data, dims);
  const values = await session.run({ [input.name!]: fed });
  await session.release();
  const step = await compile(
    ({ x }, weights) => {
      const of = (classToken: boolean): tf.Tensor[] =>
        network.forward(
          weights,
          x as tf.Tensor4D,
          layers.map(({ name, hasClassToken = false }) => ({
            layer: name,
            classToken: classToken && hasClassToken,
          })),
        );
      // The file has a class token and the patches in one axis.
      const outputs = of(false).map((y, i) => {
        const { hasClassToken, channels } = layers[i]!;
        if (!hasClassToken) return y;
        return tf.concat([of(true)[i]!, tf.reshape(y, [-1, channels])], 0);
      });
      return Object.fromEntries(outputs.map((y, i) => [`${i}`, y]));
    },
    { inputs: { x: { shape: [1, height, width, channels] } }, weights: network.weights },
  );
  const ours = await step.run({ x: picture });
  step.dispose();
  return layers.map(({ name, channels, size }, i) => {
    const { data, dims } = values[named.get(name)!]!;
    const expected = Float32Array.from(data as Float32Array, Number);
    const got = ours[`${i}`] as Float32Array;
    if (got.length !== expected.length)
      throw new Error(`${basename(path)} ${name}: [${size},${channels}] is not [${dims}]`);
    return { layer: name, difference: difference(got, expected, dims, channels) };
  });
}

function difference(
  got: Float32Array,
  expected: Float32Array,
  dims: readonly number[],
  channels: number,
): number {
  const largest = Math.max(
    1e-6,
    expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0),
  );
  const between = (a: Float32Array, b: Float32Array): number =>
    a.reduce((worst, value, k) => Math.max(worst, Math.abs(value - b[k]!)), 0) / largest;
  const area = expected.length / channels;
  const moved = expected.map((_, k) => expected[(k % channels) * area + Math.floor(k / channels)]!);
  const tries = [between(got, expected)];
  if (dims[1] === channels) tries.push(between(got, moved));
  const least = Math.min(...tries);
  // Another order of axes.
  return least < 1e-3 || dims.length <= 2 ? least : between(got.slice().sort(), expected.slice().sort());
}
