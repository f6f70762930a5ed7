/**
 * @file Activations with a dip below zero, such as GELU: left of its lowest point, climbing leads further left, where the
 * activation comes no nearer than zero. A channel that lies there as a whole can be lifted out of it.
 */
import { withGradient } from '../../../engine/functions/own-gradient.js';
import * as tf from '../../../engine/functions/tfjs.js';
import type { ActivationName } from '../op.js';

/** Where each is lowest. */
export const lowestPoints: Readonly<Partial<Record<ActivationName, number>>> = {
  gelu: -0.752,
  'gelu-tanh': -0.752,
  'gelu-quick': -0.751,
  silu: -1.278,
  'hard-swish': -1.5,
  mish: -1.193,
};

/** Steeper than any of them falls. */
const SLOPE = 0.25;

let isLifting = false;

/** Runs `body`, which must hold the forward pass, with gradients that lift channels out of dips. */
export function withLift<T>(body: () => T): T {
  const before = isLifting;
  isLifting = true;
  try {
    return body();
  } finally {
    isLifting = before;
  }
}

/** An activation's values `y` of `x`, [batch, …, channel], with a gradient that lifts channels out of its dip. */
export function lifted(name: ActivationName, x: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const lowest = lowestPoints[name];
  if (!isLifting || lowest === undefined) return y;
  const slope = withGradient(
    [x] as const,
    (x) => ({ value: tf.zerosLike(x), saved: [x] as const }),
    (dy, [x]) => [tf.mul(dy, left(x, lowest))],
  );
  return tf.add(y, slope);
}

/** `SLOPE` for the channels of each picture that lie left of the lowest point everywhere, else 0. */
function left(x: tf.Tensor, lowest: number): tf.Tensor {
  const positions = x.shape.map((_, axis) => axis).slice(1, -1);
  const largest = positions.length > 0 ? tf.max(x, positions, true) : x;
  return tf.mul(tf.cast(tf.less(largest, lowest), 'float32'), SLOPE);
}
