/** @file Normalization of the last axis, as a network's family has it. */
import { layerNorm, rmsNorm } from '../../engine/functions/ops.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import type { TransformerSpec } from './spec.js';

/** A module's normalization of the last axis, `[..., size]`. */
export function norm(spec: TransformerSpec, weights: WeightLookup, module: string, x: tf.Tensor): tf.Tensor {
  const scale = weights(`${module}.weight`);
  if (spec.norm.kind === 'rms') return rmsNorm(x, scale, spec.norm.eps);
  return layerNorm(x, scale, weights(`${module}.bias`), spec.norm.eps);
}

/**
 * What a norm passes on of a part of the stream, its scale frozen at the whole stream's own: a linear map, without bias.
 *
 * @param stream - what the norm reads, `[rows, dModel]`
 * @param part - `[unit, rows, dModel]`
 * @returns likewise
 */
export function throughNorm(
  spec: TransformerSpec,
  weights: WeightLookup,
  module: string,
  stream: tf.Tensor,
  part: tf.Tensor,
): tf.Tensor {
  const centres = spec.norm.kind === 'layer';
  const spread = centres ? tf.sub(stream, tf.mean(stream, -1, true)) : stream;
  const inverse = tf.div(1, tf.sqrt(tf.add(tf.mean(tf.square(spread), -1, true), spec.norm.eps)));
  const linear = centres ? tf.sub(part, tf.mean(part, -1, true)) : part;
  return tf.mul(tf.mul(linear, tf.reshape(inverse, [1, -1, 1])), weights(`${module}.weight`));
}
