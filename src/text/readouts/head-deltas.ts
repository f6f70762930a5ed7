/** @file What heads write to the stream, and norms of it. */
import * as tf from '../../engine/functions/tfjs.js';
import { headDeltaWeights } from '../lm/matrices.js';
import type { Pass } from '../lm/transformer.js';
import { throughFinalNorm } from '../lm/unembed.js';
import type { PassContext } from './readout.js';

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

/** What is written to the stream, `[unit, rows, dModel]`, as the pass's own final norm hands it on. */
export function behindFinalNorm({ spec, weights, pass }: PassContext, written: tf.Tensor): tf.Tensor {
  return throughFinalNorm(spec, weights, pass.at(`blocks.${spec.layers - 1}.hook_resid_post`), written);
}
