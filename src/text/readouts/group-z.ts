/** @file z of all units of a group: their measure in standard deviations above its mean. */
import * as tf from '../../engine/functions/tfjs.js';
import type { GroupStatistics } from './group-statistics.js';
import type { PassContext, ReadoutGroup } from './readout.js';

/** z of every unit of a group at every position: `[batch, pos, unit]`. Differentiable. */
export function groupZ(
  context: PassContext,
  group: ReadoutGroup,
  { mean, deviation, centre }: GroupStatistics,
): tf.Tensor {
  const raw = group.read(context, centre);
  const gain = deviation.map((x) => 1 / x);
  const shift = mean.map((x, i) => -x * gain[i]!);
  return tf.add(tf.mul(raw, tf.tensor1d(gain)), tf.tensor1d(shift));
}
