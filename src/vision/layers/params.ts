/** @file A parameter as a layer wants it: an array of the model's files, brought into our layout. */
import * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup, WeightSource } from '../../engine/weights/weights.js';

type Step = { readonly reshape: readonly number[] } | { readonly transpose: readonly number[] };

/** Weight `name`, after `steps`, has this `shape`. Steps are tfjs ops, so the engine does them once, outside the graph. */
export interface Param {
  readonly name: string;
  readonly shape: readonly number[];
  readonly steps: readonly Step[];
}

/** The weight as it lies in the file. Throws UserError when the source has none of that name. */
export function param(source: WeightSource, name: string): Param {
  return { name, shape: source.shape(name), steps: [] };
}

export function reshaped(p: Param, shape: readonly number[]): Param {
  return { name: p.name, shape, steps: [...p.steps, { reshape: shape }] };
}

export function transposed(p: Param, perm: readonly number[]): Param {
  return {
    name: p.name,
    shape: perm.map((axis) => p.shape[axis]!),
    steps: [...p.steps, { transpose: perm }],
  };
}

/** A convolution kernel of PyTorch or ONNX, [out, in, height, width], as [height, width, in, out]. */
export function fromOihw(kernel: Param): Param {
  return transposed(kernel, [2, 3, 1, 0]);
}

/** A depthwise kernel of TensorFlow, [height, width, in, multiplier], as [height, width, 1, in * multiplier]. */
export function depthwiseKernel(kernel: Param): Param {
  const [height, width, inputs, multiplier] = kernel.shape as [number, number, number, number];
  return reshaped(kernel, [height, width, 1, inputs * multiplier]);
}

export function readParam(weights: WeightLookup, p: Param): tf.Tensor {
  let x = weights(p.name);
  for (const step of p.steps) {
    x = 'reshape' in step ? tf.reshape(x, [...step.reshape]) : tf.transpose(x, [...step.transpose]);
  }
  return x;
}
