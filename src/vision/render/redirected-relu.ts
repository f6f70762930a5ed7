/**
 * @file A gradient that gets past silent ReLUs and other clipped activations, for starts at which a unit is silent (lucid's `redirected_relu_grad`).
 *
 * Where a ReLU passes no gradient at all to a picture, it passes what would lift its inputs, and nothing that would
 * push those already below zero further down. Everywhere else it stays what it is. Channels in the dip of a GELU are
 * lifted out of it (`layers/rules/lift.ts`).
 */
import * as tf from '../../engine/functions/tfjs.js';
import { withLift } from '../layers/rules/lift.js';

type Limits = readonly [low: number, high: number];

/** Between which limits an operation lets its input through; it is constant below and above. */
const limits: Readonly<Record<string, (attributes: tf.NamedAttrMap) => Limits>> = {
  [tf.Relu]: () => [0, Number.POSITIVE_INFINITY],
  [tf.Relu6]: () => [0, 6],
  [tf.ClipByValue]: ({ clipValueMin, clipValueMax }) => [clipValueMin as number, clipValueMax as number],
};

/**
 * Runs `body` with redirected gradients. TensorFlow.js looks a gradient up when the operation runs, not when it is
 * differentiated, so `body` must hold the forward pass. The gradients are of something to be maximized.
 */
export function withRedirectedRelu<T>(body: () => T): T {
  const originals = Object.keys(limits).map((kernel) => tf.getGradient(kernel));
  try {
    for (const [kernelName, limitsOf] of Object.entries(limits)) {
      tf.registerGradient({
        kernelName,
        inputsToSave: ['x'],
        gradFunc: (dy, [x], attributes) => ({
          x: () => redirected(dy as tf.Tensor, x!, limitsOf(attributes)),
        }),
      });
    }
    return withLift(body);
  } finally {
    for (const original of originals) tf.registerGradient(original);
  }
}

function redirected(dy: tf.Tensor, x: tf.Tensor, [low, high]: Limits): tf.Tensor {
  const nothing = tf.zerosLike(dy);
  // A limit at infinity is never passed: ONNX Runtime compares with it all the same.
  const below = tf.lessEqual(x, low);
  const above = tf.greater(x, high);
  const plain = tf.where(tf.logicalOr(below, above), nothing, dy);
  const sinking = tf.logicalAnd(below, tf.less(dy, 0));
  const rising = tf.logicalAnd(above, tf.greater(dy, 0));
  const away = tf.logicalOr(sinking, rising);
  // For each picture of the batch by itself.
  const axes = dy.shape.map((_, axis) => axis).slice(1);
  const passes = tf.greater(tf.sum(tf.abs(plain), axes, true), 0);
  return tf.where(tf.broadcastTo(passes, dy.shape), plain, tf.where(away, nothing, dy));
}
