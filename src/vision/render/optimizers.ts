/** @file How a step follows the gradient. */

import * as tf from '../../engine/functions/tfjs.js';
import { adamW, type UpdateRule } from '../../engine/training/optimizer.js';
import type { OptimizerName, ParameterizationName } from '../names.js';

/** The gradient of each picture divided by its standard deviation: DeepDream's rule and that of Keras' examples. */
function normalizedAscent(): UpdateRule {
  return {
    slots: [],
    apply(parameter, gradient, slots, rate) {
      const axes = gradient.shape.map((_, axis) => axis).slice(1);
      const centred = tf.sub(gradient, tf.mean(gradient, axes, true));
      const deviation = tf.sqrt(tf.mean(tf.square(centred), axes, true));
      const direction = tf.div(gradient, tf.add(deviation, 1e-20));
      return { parameter: tf.sub(parameter, tf.mul(direction, rate)), slots };
    },
  };
}

/** Update rules by name, for gradients of something to be minimized. */
export const optimizers: Readonly<Record<OptimizerName, () => UpdateRule>> = {
  // Gradients with respect to a picture are far smaller than those with respect to weights.
  adam: () => adamW({ beta1: 0.9, beta2: 0.999, epsilon: 1e-12 }),
  ascent: normalizedAscent,
};

/** Defaults of each parameterization: rates are lucid's, Keras' and Horama's. */
export const defaults: Readonly<Record<ParameterizationName, { optimizer: OptimizerName; rate: number }>> = {
  fft: { optimizer: 'adam', rate: 0.05 },
  // 0.1 for a picture from -1 to 1, as the examples have it.
  pixel: { optimizer: 'ascent', rate: 0.05 },
  maco: { optimizer: 'adam', rate: 0.1 },
};
