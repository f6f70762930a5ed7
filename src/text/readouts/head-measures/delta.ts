/**
 * @file `delta` and `raw`: L2 norms of residual deltas, through the Gram matrix W_O W_O^T of dHead x dHead. It depends
 * on weights alone, and the deltas of dModel entries are never written out.
 */
import * as tf from '../../../engine/functions/tfjs.js';
import { headDeltaWeights } from '../../lm/matrices.js';
import type { PassContext } from '../readout.js';
import { byPosition, type HeadMeasurement, headMixes, normsIn } from './measurement.js';

function deltaNorms(context: PassContext, layer: number, centre?: Float32Array): tf.Tensor {
  const { spec, weights, pass } = context;
  const output = headDeltaWeights(spec, weights, layer); // [head, dHead, dModel]
  const gram = tf.matMul(output, output, false, true);
  return byPosition(normsIn(headMixes(context, layer, centre), gram), pass, layer);
}

/** Norm of o_h itself. */
export const raw: HeadMeasurement = {
  key: 'raw',
  centred: false,
  throughOutput: false,
  read: (context, layer) => deltaNorms(context, layer),
};

/** Norm of o_h less its mean over calibration tokens. The plain norm is reported: it is understood without calibration. */
export const delta: HeadMeasurement = {
  key: 'delta',
  centred: true,
  throughOutput: false,
  reportedAs: 'raw',
  read: deltaNorms,
};
