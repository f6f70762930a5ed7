/** @file `attention`: the largest entry of the pattern beyond the sink at position 0. */
import * as tf from '../../../engine/functions/tfjs.js';
import type { HeadMeasurement } from './measurement.js';

export const attention: HeadMeasurement = {
  key: 'attention',
  centred: false,
  throughOutput: false,
  read({ pass }, layer) {
    const pattern = pass.at(`blocks.${layer}.attn.hook_pattern`); // [batch, head, qPos, kPos]
    const [batch, head, queries, keys] = pattern.shape as [number, number, number, number];
    // With one key there is nothing beyond the sink.
    if (keys === 1) return tf.zeros([batch, queries, head]);
    const beyond = tf.max(tf.slice(pattern, [0, 0, 0, 1], [batch, head, queries, keys - 1]), -1);
    return tf.transpose(beyond, [0, 2, 1]);
  },
};
