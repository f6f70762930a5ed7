/** @file Properties of the pictures themselves, one number each, to be taken away from an objective. */
import * as tf from '../../engine/functions/tfjs.js';
import type { PenaltyName } from './expression.js';

/** Over everything but the batch. */
const meanOfEach = (x: tf.Tensor): tf.Tensor1D => tf.mean(tf.reshape(x, [x.shape[0]!, -1]), 1);

/** By name; of pictures [batch, height, width, channel] in [0, 1]; [batch]. */
export const penalties: Readonly<Record<PenaltyName, (pictures: tf.Tensor4D) => tf.Tensor1D>> = {
  /** Total variation: mean difference between neighbours, down plus across. */
  tv(pictures) {
    const [batch, height, width, channels] = pictures.shape;
    const steps = (axis: 1 | 2): tf.Tensor1D => {
      const size = [batch, height, width, channels];
      size[axis]! -= 1;
      const from = (start: number): tf.Tensor =>
        tf.slice(
          pictures,
          size.map((_, i) => (i === axis ? start : 0)),
          size,
        );
      return meanOfEach(tf.abs(tf.sub(from(1), from(0))));
    };
    return tf.add(steps(1), steps(2));
  },
  /** Mean distance from grey. */
  l1: (pictures) => meanOfEach(tf.abs(tf.sub(pictures, 0.5))),
  /** Root of the mean square distance from grey. */
  l2: (pictures) => tf.sqrt(tf.add(meanOfEach(tf.square(tf.sub(pictures, 0.5))), 1e-8)),
};

/**
 * How much each picture of a batch looks like the others to a layer: the mean cosine between its Gram matrix (which
 * channels are active together) and theirs, as in lucid's `diversity`. Zero for a batch of one.
 *
 * @param activations - [batch, height, width, channel] or [batch, channel]
 * @returns [batch]
 */
export function diversity(activations: tf.Tensor): tf.Tensor1D {
  const batch = activations.shape[0]!;
  if (batch === 1) return tf.zeros([1]);
  const channels = activations.shape.at(-1)!;
  const flat = tf.reshape(activations, [batch, -1, channels]);
  const grams = tf.reshape(tf.matMul(flat, flat, true, false), [batch, channels * channels]) as tf.Tensor2D;
  const lengths = tf.sqrt(tf.add(tf.sum(tf.square(grams), 1, true), 1e-12));
  const normal = tf.div(grams, lengths) as tf.Tensor2D;
  const others = tf.sub(1, tf.eye(batch));
  const cosines = tf.mul(tf.matMul(normal, normal, false, true), others);
  return tf.div(tf.sum(cosines, 1), batch - 1);
}
