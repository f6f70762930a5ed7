/**
 * @file A gradient that gets past dead ReLUs, for starts at which a unit is silent (lucid's `redirected_relu_grad`).
 *
 * Where a ReLU passes no gradient at all to a picture, it passes what would lift its inputs, and nothing that would
 * push those already below zero further down. Everywhere else it stays what it is.
 */
import * as tf from '../../engine/functions/tfjs.js';

/** A bounded linear unit: relu up to infinity, relu6 up to 6. */
const limits = { [tf.Relu]: Number.POSITIVE_INFINITY, [tf.Relu6]: 6 } as const;

/**
 * Runs `body` with redirected gradients. TensorFlow.js looks a gradient up when the operation runs, not when it is
 * differentiated, so `body` must hold the forward pass. The gradients are of something to be maximized.
 */
export function withRedirectedRelu<T>(body: () => T): T {
  const originals = Object.keys(limits).map((kernel) => tf.getGradient(kernel));
  try {
    for (const [kernelName, limit] of Object.entries(limits)) {
      tf.registerGradient({
        kernelName,
        inputsToSave: ['x'],
        gradFunc: (dy, [x]) => ({ x: () => redirected(dy as tf.Tensor, x!, limit) }),
      });
    }
    return body();
  } finally {
    for (const original of originals) tf.registerGradient(original);
  }
}

function redirected(dy: tf.Tensor, x: tf.Tensor, limit: number): tf.Tensor {
  const nothing = tf.zerosLike(dy);
  const below = tf.lessEqual(x, 0);
  const above = tf.greater(x, limit);
  const outside = Number.isFinite(limit) ? tf.logicalOr(below, above) : below;
  const plain = tf.where(outside, nothing, dy);
  const sinking = tf.logicalAnd(below, tf.less(dy, 0));
  const rising = tf.logicalAnd(above, tf.greater(dy, 0));
  const away = Number.isFinite(limit) ? tf.logicalOr(sinking, rising) : sinking;
  // For each picture of the batch by itself.
  const axes = dy.shape.map((_, axis) => axis).slice(1);
  const passes = tf.greater(tf.sum(tf.abs(plain), axes, true), 0);
  return tf.where(tf.broadcastTo(passes, dy.shape), plain, tf.where(away, nothing, dy));
}
