/** @file What a measure of heads is, and what measures share. */
import * as tf from '../../../engine/functions/tfjs.js';
import { headDeltaWeights } from '../../lm/matrices.js';
import type { Pass } from '../../lm/transformer.js';
import type { HeadMeasure } from '../../names.js';
import type { PassContext } from '../readout.js';

/** How all heads of a layer are measured in one go. */
export interface HeadMeasurement {
  /** Its part of the group's key. */
  readonly key: string;
  /** Whether heads are centred on their mean output. */
  readonly centred: boolean;
  /** Whether it goes through the final norm, and so needs every layer. */
  readonly throughOutput: boolean;
  /** The measure that is reported as raw value, where it is another. */
  readonly reportedAs?: HeadMeasure;
  /**
   * @param centre - mean of each head's mix of values, `[head * dHead]`, where `centred`
   * @returns `[batch, pos, head]`
   */
  read(context: PassContext, layer: number, centre?: Float32Array): tf.Tensor;
}

/** Each head's mix of values, less its mean where that is given: `[head, rows, dHead]`. Its delta is this times W_O. */
export function headMixes(
  { spec, pass }: Pick<PassContext, 'spec' | 'pass'>,
  layer: number,
  centre: Float32Array | undefined,
): tf.Tensor3D {
  const mix = pass.at(`blocks.${layer}.attn.hook_z`); // [batch, pos, head, dHead]
  const own = centre ? tf.sub(mix, tf.tensor(centre, [spec.heads, spec.dHead])) : mix;
  const centred = spec.modules.layer.attentionPostNorm
    ? tf.mul(own, tf.expandDims(pass.at(`blocks.${layer}.attn.post_scale`), -1))
    : own;
  const [batch, pos] = mix.shape as [number, number];
  return tf.transpose(tf.reshape(centred, [batch * pos, spec.heads, spec.dHead]), [1, 0, 2]);
}

/** Each head's residual delta, centred where a mean is given: `[head, rows, dModel]`. */
export function headDeltas(context: PassContext, layer: number, centre: Float32Array | undefined): tf.Tensor {
  const { spec, weights } = context;
  return tf.matMul(headMixes(context, layer, centre), headDeltaWeights(spec, weights, layer));
}

/** `[head, rows]` as `[batch, pos, head]`. */
export function byPosition(values: tf.Tensor, pass: Pass, layer: number): tf.Tensor {
  const batch = pass.at(`blocks.${layer}.attn.hook_z`).shape[0]!;
  const [head, rows] = values.shape as [number, number];
  return tf.reshape(tf.transpose(values), [batch, rows / batch, head]);
}

/** |x| of rows given as x and x M, M a Gram matrix: sqrt(x M x^T). */
export function normsIn(x: tf.Tensor3D, gram: tf.Tensor): tf.Tensor {
  // The floor keeps the root's gradient finite where a head writes nothing.
  return tf.sqrt(tf.maximum(tf.sum(tf.mul(x, tf.matMul(x, gram)), -1), 1e-20));
}
