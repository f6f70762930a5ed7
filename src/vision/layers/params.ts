/** @file A parameter as a layer wants it: an array of the model's files, brought into our layout. */
import { UserError } from '../../core/errors.js';
import * as tf from '../../engine/functions/tfjs.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import type { WeightLookup, WeightSource } from '../../engine/weights/weights.js';
import { limits, shown } from '../limits.js';

type Step =
  | { readonly reshape: readonly number[] }
  | { readonly transpose: readonly number[] }
  | { readonly reverse: readonly number[] };

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

/** Throws UserError for a shape that holds another number of entries. */
export function reshapedParam(p: Param, shape: readonly number[]): Param {
  if (!shape.every((dim) => Number.isInteger(dim) && dim >= 0) || sizeOf(shape) !== sizeOf(p.shape)) {
    throw new UserError(`the weight "${p.name}" of [${shown(p.shape)}] cannot become [${shown(shape)}]`);
  }
  return { name: p.name, shape, steps: [...p.steps, { reshape: shape }] };
}

/** With the entries along these axes in reverse order. */
export function turned(p: Param, axes: readonly number[]): Param {
  return { name: p.name, shape: p.shape, steps: [...p.steps, { reverse: axes }] };
}

/** The entries of a parameter, in order, from those that the file has. */
export function stepped(
  stored: ArrayLike<number>,
  shape: readonly number[],
  steps: readonly Step[],
  transpose: (x: ArrayLike<number>, shape: readonly number[], perm: readonly number[]) => ArrayLike<number>,
): ArrayLike<number> {
  let [values, dims] = [stored, shape];
  for (const step of steps) {
    if ('reshape' in step) dims = step.reshape;
    else if ('transpose' in step) {
      values = transpose(values, dims, step.transpose);
      const before = dims;
      dims = step.transpose.map((axis) => before[axis]!);
    } else throw new UserError('reads a turned kernel, which is not supported');
  }
  return values;
}

/** Throws UserError where `perm` does not name each axis once. */
export function transposed(p: Param, perm: readonly number[]): Param {
  checkPermutation(perm, p.shape);
  return {
    name: p.name,
    shape: perm.map((axis) => p.shape[axis]!),
    steps: [...p.steps, { transpose: perm }],
  };
}

export function checkPermutation(perm: readonly number[], shape: readonly number[]): void {
  if (
    perm.length <= limits.axes &&
    perm.length === shape.length &&
    shape.every((_, axis) => perm.includes(axis))
  )
    return;
  throw new UserError(`the axes [${shown(perm)}] are no order of those of [${shown(shape)}]`);
}

/** A convolution kernel of PyTorch or ONNX, [out, in, height, width], as [height, width, in, out]. */
export function fromOihw(kernel: Param): Param {
  return transposed(kernel, [2, 3, 1, 0]);
}

/** A depthwise kernel of TensorFlow, [height, width, in, multiplier], as [height, width, 1, in * multiplier]. */
export function depthwiseKernel(kernel: Param): Param {
  if (kernel.shape.length !== 4)
    throw new UserError(`the kernel has ${kernel.shape.length} axes instead of 4`);
  const [height, width, inputs, multiplier] = kernel.shape as [number, number, number, number];
  return reshapedParam(kernel, [height, width, 1, inputs * multiplier]);
}

export function readParam(weights: WeightLookup, p: Param): tf.Tensor {
  let x = weights(p.name);
  for (const step of p.steps) {
    if ('reshape' in step) x = tf.reshape(x, [...step.reshape]);
    else if ('transpose' in step) x = tf.transpose(x, [...step.transpose]);
    else x = tf.reverse(x, [...step.reverse]);
  }
  return x;
}
