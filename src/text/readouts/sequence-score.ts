/** @file From z at every position to the z of a sequence. Position 0 never counts. */
import { UsageError } from '../../core/errors.js';
import * as tf from '../../engine/functions/tfjs.js';
import { type SequenceScore, sequenceScores } from '../names.js';

/**
 * @param values - z at every position, `[batch, pos]` or `[batch, pos, unit]`
 * @returns `[batch]` or `[batch, unit]`
 */
export function scoreSequence(values: tf.Tensor, at: SequenceScore): tf.Tensor {
  const [batch, pos, ...unit] = values.shape as [number, number, ...number[]];
  const from = (first: number) =>
    tf.slice(values, [0, first, ...unit.map(() => 0)], [batch, pos - first, ...unit]);
  switch (at) {
    case 'max':
      return tf.max(from(1), 1);
    case 'last':
      return tf.squeeze(from(pos - 1), [1]);
    case 'mean':
      return tf.mean(from(1), 1);
    default:
      throw unknownScore(at);
  }
}

/**
 * `scoreSequence` of sequences that are filled up to a common length.
 *
 * @param values - z at every position, `[batch, pos, ...unit]`
 * @param counted - `[pos]`, 1 at the positions that `countedPositions` names, else 0
 * @returns `[batch, ...unit]`
 */
export function scoreCounted(values: tf.Tensor, at: SequenceScore, counted: tf.Tensor): tf.Tensor {
  const mask = tf.reshape(counted, [1, -1, ...values.shape.slice(2).map(() => 1)]);
  switch (at) {
    case 'max':
      return tf.max(tf.add(values, tf.mul(tf.sub(mask, 1), 1e9)), 1);
    case 'last':
    case 'mean':
      return tf.div(tf.sum(tf.mul(values, mask), 1), tf.sum(counted));
    default:
      throw unknownScore(at);
  }
}

/** The positions of a sequence of `length` tokens that its score is made of, as 1 and 0, `[capacity]`. */
export function countedPositions(at: SequenceScore, length: number, capacity: number): Float32Array {
  const first = at === 'last' ? length - 1 : 1;
  return Float32Array.from({ length: capacity }, (_, i) => (i >= first && i < length ? 1 : 0));
}

/** For what no type check saw: a script in JavaScript, a file that was edited. */
export function unknownScore(at: never): UsageError {
  return new UsageError(
    `"at" is "${at}": which position speaks for a text must be ${sequenceScores.join(', ')}`,
  );
}
