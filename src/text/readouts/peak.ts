/** @file Of values at every position: one unit's, and where they are largest. Position 0 never counts. */
import * as tf from '../../engine/functions/tfjs.js';

/** Unit `index` of `[batch, pos, unit]`: `[batch, pos]`. */
export function column(x: tf.Tensor, index: number): tf.Tensor {
  const [batch, pos] = x.shape as [number, number];
  return tf.reshape(tf.slice(x, [0, 0, index], [batch, pos, 1]), [batch, pos]);
}

/** Where `[batch, pos]` is largest past position 0: `[batch]` int32. */
export function peakPosition(values: tf.Tensor): tf.Tensor {
  const [batch, pos] = values.shape as [number, number];
  if (pos === 2) return tf.ones([batch], 'int32');
  return tf.add(tf.argMax(tf.slice(values, [0, 1], [batch, pos - 1]), 1), tf.scalar(1, 'int32'));
}

/** `values` where `peaks` is largest past position 0, both `[batch, pos]`: `[batch]`. */
export function valueAtPeak(values: tf.Tensor, peaks: tf.Tensor): tf.Tensor {
  const [batch, pos] = peaks.shape as [number, number];
  const counted = (x: tf.Tensor) => tf.slice(x, [0, 1], [batch, pos - 1]);
  if (pos === 2) return tf.reshape(counted(values), [batch]);
  const peak = tf.oneHot(tf.argMax(counted(peaks), 1) as tf.Tensor1D, pos - 1);
  return tf.sum(tf.mul(counted(values), tf.cast(peak, 'float32')), 1);
}
