/**
 * @file A sparse autoencoder: its first parameters, its loss and its update rules.
 *
 *     h = x . line of the encoder + bias
 *     latent = h where it is positive and among the k largest of a token (on average over the batch), else 0
 *     x is explained by the sum of latent * line of the decoder, and `added`
 *
 * BatchTopK (Bussmann et al., arXiv 2412.06410). Latents that have been silent for long learn to explain what the others
 * leave (Gao et al., arXiv 2406.04093). The decoder's lines have norm 1.
 */
import { Random } from '../src/core/random.js';
import { detach, differentiable } from '../src/engine/functions/ops.js';
import * as tf from '../src/engine/functions/tfjs.js';
import { adamW, type UpdateRule } from '../src/engine/training/optimizer.js';
import type { WeightArray, WeightLookup } from '../src/engine/weights/weights.js';

export interface DictionarySize {
  /** Numbers that it reads at a token. */
  readonly width: number;
  readonly latents: number;
  /** Active latents a token, on average. */
  readonly k: number;
}

/** How many silent latents are trained at once: half the width, as Gao et al. advise. */
export const silentCount = ({ width }: DictionarySize): number => Math.ceil(width / 2);

/** Of their loss beside the main one; Gao et al.'s. */
const SILENT_WEIGHT = 1 / 32;

/** Random lines of norm 1 for both matrices, `[latent, width]`. */
export function firstDictionary({ width, latents }: DictionarySize, seed: number): Map<string, WeightArray> {
  const lines = Random.of(seed, 'dictionary').normals(latents * width);
  for (let start = 0; start < lines.length; start += width) {
    const line = lines.subarray(start, start + width);
    const norm = Math.hypot(...line);
    line.set(line.map((x) => x / norm));
  }
  return new Map<string, WeightArray>([
    ['encoder', { shape: [latents, width], data: lines }],
    ['decoder', { shape: [latents, width], data: lines.slice() }],
    ['bias', { shape: [latents], data: new Float32Array(latents) }],
    ['added', { shape: [width], data: new Float32Array(width) }],
  ]);
}

/** The `count` largest of a matrix; the others, and negative ones, are 0. */
export function largest(h: tf.Tensor2D, count: number): tf.Tensor2D {
  return differentiable(
    [h],
    (h) => tf.mul(tf.relu(h), tf.cast(tf.greaterEqual(h, leastOf(h, count)), 'float32')),
    (dy, y) => [tf.mul(dy, tf.cast(tf.greater(y, 0), 'float32'))],
  ) as tf.Tensor2D;
}

/** The smallest of the `count` largest elements, `[1]`. */
export const leastOf = (h: tf.Tensor, count: number): tf.Tensor =>
  tf.slice(tf.topk(tf.reshape(h, [-1]), count).values, [count - 1], [1]);

/** Before the k largest are kept, `[token, latent]`. @param x - `[token, width]` */
export function preActivations(x: tf.Tensor2D, weights: WeightLookup): tf.Tensor2D {
  return tf.add(tf.matMul(x, weights('encoder') as tf.Tensor2D, false, true), weights('bias'));
}

/**
 * The share of the variance that is left unexplained, and of that, the share that silent latents leave.
 *
 * @param x - `[token, width]`, of mean 0
 * @param inputs - `chosen`, the latents that have been silent longest, int32 `[silentCount]`; `silent`, 1 where such a one
 *   counts as silent, else 0
 * @returns `loss`; `unexplained`, its first part; `fired`, at how many tokens each latent is active, `[latent]`
 */
export function dictionaryLoss(
  { k }: DictionarySize,
  x: tf.Tensor2D,
  { chosen, silent }: Record<string, tf.Tensor>,
  weights: WeightLookup,
): { loss: tf.Scalar; report: Record<string, tf.Tensor> } {
  const latents = largest(preActivations(x, weights), k * x.shape[0]);
  const left = tf.sub(x, tf.add(tf.matMul(latents, weights('decoder') as tf.Tensor2D), weights('added')));
  const unexplained = tf.div(tf.sum(tf.square(left)), tf.sum(tf.square(x)));

  const some: WeightLookup = (name) => tf.gather(weights(name), chosen as tf.Tensor1D);
  const own = preActivations(x, some);
  const rest = detach(left);
  const explained = tf.matMul(tf.mul(tf.relu(own), silent!) as tf.Tensor2D, some('decoder') as tf.Tensor2D);
  const missed = tf.div(tf.sum(tf.square(tf.sub(rest, explained))), tf.sum(tf.square(rest)));

  const loss = tf.add(unexplained, tf.mul(missed, SILENT_WEIGHT)) as tf.Scalar;
  const fired = tf.sum(tf.cast(tf.greater(latents, 0), 'float32'), 0);
  return { loss, report: { unexplained, fired } };
}

/** AdamW; the decoder's lines are brought back to norm 1 after each step. */
export function dictionaryRule(name: string): UpdateRule {
  const rule = adamW({ beta2: 0.99 });
  if (name !== 'decoder') return rule;
  return {
    slots: rule.slots,
    apply(parameter, gradient, slots, rate, step) {
      const updated = rule.apply(parameter, gradient, slots, rate, step);
      const norms = tf.sqrt(tf.sum(tf.square(updated.parameter), 1, true));
      return { ...updated, parameter: tf.div(updated.parameter, norms) };
    },
  };
}
