/** @file Batch normalization in training, with the ReLU that follows it, in few passes over memory. */

import { emit, tracing } from '../compiler/emit.js';
import { madeBy } from '../compiler/graph.js';
import { withGradient } from './own-gradient.js';
import * as tf from './tfjs.js';

/** Mean and variance of each channel over a batch, both `[channel]`. */
export interface BatchMoments {
  readonly mean: tf.Tensor1D;
  readonly variance: tf.Tensor1D;
}

/** @param x - [batch, height, width, channel] */
export function batchMoments(x: tf.Tensor): BatchMoments {
  const mean = tf.mean(x, [0, 1, 2]) as tf.Tensor1D;
  const variance = tf.relu(tf.sub(tf.mean(tf.square(x), [0, 1, 2]), tf.square(mean))) as tf.Tensor1D;
  return { mean, variance };
}

/**
 * relu((x - mean) / sqrt(variance + eps) + bias) with the batch's own moments (Ioffe & Szegedy, arXiv 1502.03167).
 *
 * @param x - [batch, height, width, channel]
 * @param bias - [channel]
 */
export function batchNormRelu(x: tf.Tensor, bias: tf.Tensor, eps: number): tf.Tensor {
  const forward = (x: tf.Tensor, bias: tf.Tensor) => {
    const { mean, variance } = batchMoments(x);
    const gain = tf.div(1, tf.sqrt(tf.add(variance, eps)));
    const y = tf.relu(affine(x, gain, tf.sub(bias, tf.mul(mean, gain))));
    return { value: y, saved: [x, mean, gain, y] as const };
  };
  return withGradient([x, bias] as const, forward, (dy, [x, mean, gain, y]) => {
    const count = x.size / x.shape.at(-1)!;
    const g = tf.mul(dy, tf.step(y));
    const dBias = tf.sum(g, [0, 1, 2]);
    // dx = gain (g - mean(g) - normal mean(g normal)), as g * gain + (x * slope + shift).
    const along = tf.mul(gain, tf.sub(tf.sum(tf.mul(g, x), [0, 1, 2]), tf.mul(mean, dBias)));
    const slope = tf.mul(tf.mul(tf.square(gain), along), -1 / count);
    const shift = tf.sub(tf.mul(tf.mul(gain, dBias), -1 / count), tf.mul(mean, slope));
    return [tf.add(tf.mul(g, gain), affine(x, slope, shift)), dBias];
  });
}

/** x * gain + shift a channel, in one pass where channels come first: ONNX's BatchNormalization with moments 0 and 1. */
function affine(x: tf.Tensor, gain: tf.Tensor, shift: tf.Tensor): tf.Tensor {
  if (!tracing()) return tf.add(tf.mul(x, gain), shift);
  const channel = x.shape.at(-1)!;
  return emit([x, gain, shift], (graph, [x, gain, shift]) => {
    const inner = graph.transpose(x!, [0, 3, 1, 2]);
    if (madeBy(inner, 'Transpose'))
      return graph.elementwise('Add', [graph.elementwise('Mul', [x!, gain!]), shift!]);
    const moments = [
      graph.constant(new Float32Array(channel), [channel], 'float32'),
      graph.constant(new Float32Array(channel).fill(1), [channel], 'float32'),
    ];
    const y = graph.node('BatchNormalization', [inner, gain!, shift!, ...moments], inner.shape, 'float32', {
      epsilon: { f: 0 },
    });
    return graph.transpose(y, [0, 2, 3, 1]);
  });
}
