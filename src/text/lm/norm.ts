/** @file Normalization of the last axis, as a network's family has it. */
import { layerNorm, rmsNorm } from '../../engine/functions/ops.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import type { TransformerSpec } from './spec.js';

/** A module's normalization of the last axis, `[..., size]`. */
export function norm(spec: TransformerSpec, weights: WeightLookup, module: string, x: tf.Tensor): tf.Tensor {
  if (spec.norm.bare) return bareNorm(spec, x);
  const scale = weights(`${module}.weight`);
  if (spec.norm.kind === 'rms') return rmsNorm(x, scale, spec.norm.eps);
  return layerNorm(x, scale, weights(`${module}.bias`), spec.norm.eps);
}

/** Normalization of the last axis without weights. */
export function bareNorm({ norm: { kind, eps } }: TransformerSpec, x: tf.Tensor): tf.Tensor {
  const ones = tf.ones([x.shape.at(-1)!]);
  return kind === 'rms' ? rmsNorm(x, ones, eps) : layerNorm(x, ones, null, eps);
}

/** What a norm multiplies its input by, without its weights: `[..., size]` to `[..., 1]`. */
export function normScale(spec: TransformerSpec, x: tf.Tensor): tf.Tensor {
  const spread = spec.norm.kind === 'layer' ? tf.sub(x, tf.mean(x, -1, true)) : x;
  return tf.div(1, tf.sqrt(tf.add(tf.mean(tf.square(spread), -1, true), spec.norm.eps)));
}

/**
 * What a norm passes on of a part of its input, its scale frozen at the whole input's own: a linear map, without bias.
 *
 * @param x - what the norm reads, `[..., dModel]`
 * @param part - `[unit, rows, dModel]`
 * @returns likewise
 */
export function throughNorm(
  spec: TransformerSpec,
  weights: WeightLookup,
  module: string,
  x: tf.Tensor,
  part: tf.Tensor,
): tf.Tensor {
  const linear = spec.norm.kind === 'layer' ? tf.sub(part, tf.mean(part, -1, true)) : part;
  const scale = tf.reshape(normScale(spec, x), [1, -1, 1]);
  const normed = tf.mul(linear, scale);
  return spec.norm.bare ? normed : tf.mul(normed, weights(`${module}.weight`));
}
