/** @file A small network that plays from pictures: its architecture, its first parameters, its loss. */
import { Random } from '../src/core/random.js';
import * as tf from '../src/engine/functions/tfjs.js';
import { sizeOf } from '../src/engine/tensor-spec.js';
import type { WeightArray, WeightLookup } from '../src/engine/weights/weights.js';
import { actions, PIXELS } from './catch.js';
import { convolution, dense, layer, rescaling, sequential } from './keras-layers.js';

const STRIDE = 2;
const convolutions = [
  { name: 'conv1', input: 3, output: 16 },
  { name: 'conv2', input: 16, output: 32 },
  { name: 'conv3', input: 32, output: 32 },
] as const;
const HIDDEN = 64;
/** Values of the last convolution. */
const flat = (PIXELS / STRIDE ** convolutions.length) ** 2 * convolutions.at(-1)!.output;

/** Filters HWIO, dense layers `[in, out]`; `value` is the critic, which is not shipped. */
export const parameterShapes: ReadonlyMap<string, readonly number[]> = new Map([
  ...convolutions.flatMap(({ name, input, output }): [string, number[]][] => [
    [`${name}/kernel`, [3, 3, input, output]],
    [`${name}/bias`, [output]],
  ]),
  ...(
    [
      ['hidden', flat, HIDDEN],
      ['action', HIDDEN, actions.length],
      ['value', HIDDEN, 1],
    ] as const
  ).flatMap(([name, inputs, outputs]): [string, number[]][] => [
    [`${name}/kernel`, [inputs, outputs]],
    [`${name}/bias`, [outputs]],
  ]),
]);

/** He-normal kernels; a head that favours no action and expects nothing. */
export function firstParameters(seed: number): Map<string, WeightArray> {
  return new Map(
    [...parameterShapes].map(([name, shape]): [string, WeightArray] => {
      const isHead = name.startsWith('action') || name.startsWith('value');
      if (isHead || shape.length === 1) return [name, { shape, data: new Float32Array(sizeOf(shape)) }];
      const deviation = Math.sqrt(2 / sizeOf(shape.slice(0, -1)));
      const normals = Random.of(seed, name).normals(sizeOf(shape));
      return [name, { shape, data: normals.map((x) => x * deviation) }];
    }),
  );
}

/**
 * @param picture - `[batch, PIXELS, PIXELS, 3]`, 0 to 255
 * @returns logits `[batch, action]` and the expected return `[batch]`
 */
export function forward(picture: tf.Tensor, weights: WeightLookup): { logits: tf.Tensor; value: tf.Tensor } {
  const batch = picture.shape[0]!;
  let x = tf.sub(tf.div(picture, 127.5), 1) as tf.Tensor4D;
  for (const { name } of convolutions) {
    const y = tf.conv2d(x, weights(`${name}/kernel`) as tf.Tensor4D, STRIDE, 'same');
    x = tf.relu(tf.add(y, weights(`${name}/bias`)));
  }
  const linear = (of: tf.Tensor, name: string) =>
    tf.add(tf.matMul(of as tf.Tensor2D, weights(`${name}/kernel`) as tf.Tensor2D), weights(`${name}/bias`));
  const hidden = tf.relu(linear(tf.reshape(x, [batch, flat]), 'hidden'));
  return { logits: linear(hidden, 'action'), value: tf.reshape(linear(hidden, 'value'), [batch]) };
}

/** What a sure policy pays for being sure, at the start. */
const ENTROPY = 0.02;
const CRITIC = 0.5;

/**
 * Advantage actor-critic (Mnih et al., arXiv 1602.01783).
 *
 * @param inputs - `picture`; `chosen` `[batch, action]`, 1 at the action taken; `advantage` and `earned` `[batch]`, what
 *   the game brought from there on, with and without what was expected taken off
 */
export function policyLoss(inputs: Record<string, tf.Tensor>, weights: WeightLookup): tf.Scalar {
  const { logits, value } = forward(inputs.picture!, weights);
  const logProbs = tf.logSoftmax(logits);
  const chosen = tf.sum(tf.mul(logProbs, inputs.chosen!), 1);
  const entropy = tf.neg(tf.sum(tf.mul(tf.exp(logProbs), logProbs), 1));
  const actor = tf.neg(tf.mul(chosen, inputs.advantage!));
  const critic = tf.square(tf.sub(value, inputs.earned!));
  return tf.mean(tf.sub(tf.add(actor, tf.mul(critic, CRITIC)), tf.mul(entropy, ENTROPY))) as tf.Scalar;
}

/** The actor as a LayersModel: logits of the actions. */
export const topology = (name: string): object =>
  sequential(name, [
    rescaling(PIXELS),
    ...convolutions.map(({ name, output }) => convolution(name, output, STRIDE)),
    layer('Flatten', { name: 'flatten', data_format: 'channels_last' }),
    dense('hidden', HIDDEN, 'relu'),
    dense('action', actions.length),
  ]);
