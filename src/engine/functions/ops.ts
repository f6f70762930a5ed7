/**
 * @file Operations that a transformer is made of, each one ONNX node forward where there is one, with a
 * gradient of few passes over memory. On eager engines they are compositions of TensorFlow.js operations.
 */

import { emit, tracedTraits, tracing } from '../compiler/emit.js';
import type { Attributes } from '../compiler/graph.js';
import type { OpName } from '../compiler/op-table.js';
import { withGradient } from './own-gradient.js';
import * as tf from './tfjs.js';

/** A differentiable operation with a gradient of its own (`withGradient`), which `gradient` gives for the first tensors. */
export function differentiable(
  tensors: readonly tf.Tensor[],
  value: (...tensors: tf.Tensor[]) => tf.Tensor,
  gradient: (dy: tf.Tensor, y: tf.Tensor, ...tensors: tf.Tensor[]) => tf.Tensor[],
): tf.Tensor {
  return withGradient(
    tensors,
    (...inputs) => {
      const y = value(...inputs);
      return { value: y, saved: [y, ...inputs] as const };
    },
    (dy, [y, ...inputs]) => {
      const gradients = gradient(dy, y, ...inputs);
      // Integer inputs (token ids) have no gradient.
      return [...gradients, ...inputs.slice(gradients.length).map((x) => tf.zerosLike(x))];
    },
  );
}

/** The value itself, and no gradient. */
export const detach = (x: tf.Tensor): tf.Tensor =>
  differentiable(
    [x],
    (x) => tf.clone(x),
    (dy) => [tf.zerosLike(dy)],
  );

/** One ONNX node that keeps its first input's shape; `eager` says the same in TensorFlow.js. */
function oneNode(
  name: OpName,
  inputs: readonly tf.Tensor[],
  attributes: Attributes,
  eager: () => tf.Tensor,
): tf.Tensor {
  if (!tracing()) return eager();
  return emit(inputs, (graph, values) => graph.node(name, values, values[0]!.shape, 'float32', attributes));
}

/** Sums a gradient over all axes but the last: the gradient of a vector that was broadcast. */
const sumRows = (x: tf.Tensor) => tf.sum(tf.reshape(x, [-1, x.shape.at(-1)!]), 0);

// -- normalization ---------------------------------------------------------------------------------------------

/**
 * Layer normalization over the last axis.
 *
 * @param x - [..., dModel]
 * @param scale - [dModel]
 * @param bias - [dModel] or null
 */
export function layerNorm(x: tf.Tensor, scale: tf.Tensor, bias: tf.Tensor | null, eps: number): tf.Tensor {
  const statistics = (x: tf.Tensor) => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const inverse = tf.div(1, tf.sqrt(tf.add(tf.mean(tf.square(centred), -1, true), eps)));
    return { inverse, normal: tf.mul(centred, inverse) };
  };
  const value = (x: tf.Tensor, scale: tf.Tensor, bias?: tf.Tensor) =>
    oneNode(
      'LayerNormalization',
      bias ? [x, scale, bias] : [x, scale],
      { axis: -1, epsilon: { f: eps } },
      () => {
        const scaled = tf.mul(statistics(x).normal, scale);
        return bias ? tf.add(scaled, bias) : scaled;
      },
    );
  return differentiable(bias ? [x, scale, bias] : [x, scale], value, (dy, _y, x, scale) => {
    const { inverse, normal } = statistics(x);
    const g = tf.mul(dy, scale);
    const along = tf.mul(normal, tf.mean(tf.mul(g, normal), -1, true));
    const dx = tf.mul(tf.sub(tf.sub(g, tf.mean(g, -1, true)), along), inverse);
    const dScale = sumRows(tf.mul(dy, normal));
    return bias ? [dx, dScale, sumRows(dy)] : [dx, dScale];
  });
}

/**
 * Root-mean-square normalization over the last axis.
 *
 * @param x - [..., dModel]
 * @param scale - [dModel]
 */
export function rmsNorm(x: tf.Tensor, scale: tf.Tensor, eps: number): tf.Tensor {
  const inverse = (x: tf.Tensor) => tf.div(1, tf.sqrt(tf.add(tf.mean(tf.square(x), -1, true), eps)));
  const attributes = { axis: -1, epsilon: { f: eps } };
  const value = (x: tf.Tensor, scale: tf.Tensor) =>
    oneNode('SimplifiedLayerNormalization', [x, scale], attributes, () =>
      tf.mul(tf.mul(x, inverse(x)), scale),
    );
  return differentiable([x, scale], value, (dy, _y, x, scale) => {
    const gain = inverse(x);
    const normal = tf.mul(x, gain);
    const g = tf.mul(dy, scale);
    const along = tf.mul(normal, tf.mean(tf.mul(g, normal), -1, true));
    return [tf.mul(tf.sub(g, along), gain), sumRows(tf.mul(dy, normal))];
  });
}

// -- activations -----------------------------------------------------------------------------------------------

/** x Phi(x), exact (`gelu` in Hugging Face configs). */
export function gelu(x: tf.Tensor): tf.Tensor {
  const phi = (x: tf.Tensor) => tf.mul(0.5, tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2))));
  const value = (x: tf.Tensor) => oneNode('Gelu', [x], { approximate: 'none' }, () => tf.mul(x, phi(x)));
  return differentiable([x], value, (dy, _y, x) => {
    const density = tf.mul(tf.exp(tf.mul(tf.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return [tf.mul(dy, tf.add(phi(x), tf.mul(x, density)))];
  });
}

const K = Math.sqrt(8 / Math.PI);
const CUBIC = 0.044715;

/** The tanh approximation (`gelu_new`), written as x sigmoid(K x + K CUBIC x^3). */
export function geluTanh(x: tf.Tensor): tf.Tensor {
  const cubic = (x: tf.Tensor) => tf.mul(tf.square(x), K * CUBIC);
  const gate = (x: tf.Tensor, c: tf.Tensor) => tf.sigmoid(tf.mul(x, tf.add(c, K)));
  const value = (x: tf.Tensor) => oneNode('FastGelu', [x], {}, () => tf.mul(x, gate(x, cubic(x))));
  return differentiable([x], value, (dy, y, x) => {
    // y = x s, s' = s (1 - s) u', so y' = s (1 + u' (x - y))
    const c = cubic(x);
    const slope = tf.add(tf.mul(c, 3), K);
    return [tf.mul(tf.mul(tf.add(tf.mul(slope, tf.sub(x, y)), 1), gate(x, c)), dy)];
  });
}

/** x sigmoid(x), also called swish. */
export function silu(x: tf.Tensor): tf.Tensor {
  const value = (x: tf.Tensor) =>
    oneNode('QuickGelu', [x], { alpha: { f: 1 } }, () => tf.mul(x, tf.sigmoid(x)));
  return differentiable([x], value, (dy, y, x) => [
    tf.mul(tf.mul(tf.sigmoid(x), tf.add(tf.sub(x, y), 1)), dy),
  ]);
}

/** cap * tanh(x / cap): values stay within the cap; null leaves them (Gemma 2's soft cap). */
export function capped(x: tf.Tensor, cap: number | null): tf.Tensor {
  return cap === null ? x : tf.mul(tf.tanh(tf.mul(x, 1 / cap)), cap);
}

// -- softmax ---------------------------------------------------------------------------------------------------

/** ln of the softmax over the last axis. */
export function logSoftmax(x: tf.Tensor): tf.Tensor {
  const value = (x: tf.Tensor) => {
    if (tracedTraits().lacksKernels) {
      // Else logits of a whole vocabulary would leave the GPU.
      const below = tf.sub(x, tf.max(x, -1, true));
      return tf.sub(below, tf.log(tf.sum(tf.exp(below), -1, true)));
    }
    return oneNode('LogSoftmax', [x], { axis: x.shape.length - 1 }, () => tf.logSoftmax(x));
  };
  return differentiable([x], value, (dy, y) => [tf.sub(dy, tf.mul(tf.exp(y), tf.sum(dy, -1, true)))]);
}
