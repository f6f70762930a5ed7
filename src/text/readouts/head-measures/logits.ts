/**
 * @file `logits`: what the centred o_h writes to the logits, through the final norm with its scale frozen; its L2 norm,
 * mean-subtracted over the vocabulary, or what it adds to one token's logit.
 */
import * as tf from '../../../engine/functions/tfjs.js';
import { logitDirections, throughFinalNorm } from '../../lm/unembed.js';
import type { PassContext } from '../readout.js';
import { byPosition, type HeadMeasurement, headDeltas, normsIn } from './measurement.js';

/** What is written to the stream, `[unit, rows, dModel]`, as the pass's own final norm hands it on. */
export function behindFinalNorm({ spec, weights, pass }: PassContext, written: tf.Tensor): tf.Tensor {
  return throughFinalNorm(spec, weights, pass.at(`blocks.${spec.layers - 1}.hook_resid_post`), written);
}

export const logits: HeadMeasurement = {
  key: 'logits',
  centred: true,
  throughOutput: true,
  read(context, layer, centre) {
    const { spec, weights, pass } = context;
    const written = behindFinalNorm(context, headDeltas(context, layer, centre));
    const matrix = logitDirections(spec, weights);
    const centred = tf.sub(matrix, tf.mean(matrix, 0, true)) as tf.Tensor2D;
    const gram = tf.matMul(centred, centred, true, false); // [dModel, dModel]
    const flat = tf.reshape(written, [1, -1, spec.dModel]) as tf.Tensor3D;
    const norms = normsIn(flat, tf.expandDims(gram, 0));
    return byPosition(tf.reshape(norms, [spec.heads, -1]), pass, layer);
  },
};

/** The net logit change toward one token, signed. */
export const towardToken = (token: number): HeadMeasurement => ({
  key: `toward ${token}`,
  centred: true,
  throughOutput: true,
  read(context, layer, centre) {
    const { spec, weights, pass } = context;
    const written = behindFinalNorm(context, headDeltas(context, layer, centre));
    const matrix = logitDirections(spec, weights);
    const row = tf.sub(tf.gather(matrix, tf.tensor1d([token], 'int32')), tf.mean(matrix, 0, true)); // [1, dModel]
    return byPosition(tf.sum(tf.mul(written, row), -1), pass, layer);
  },
});
