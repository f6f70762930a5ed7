/** @file Layers with weights: convolution, dense, batch normalization, constants. Channels are sliced off the weights. */

import { UserError } from '../../../core/errors.js';
import * as tf from '../../../engine/functions/tfjs.js';
import { sizeOf } from '../../../engine/tensor-spec.js';
import type { WeightLookup } from '../../../engine/weights/weights.js';
import { checkArray, shown } from '../../limits.js';
import { type Channels, takeChannels } from '../channels.js';
import { type AffineOp, type ConstantOp, type ConvOp, channelCount, type DenseOp, type Rule } from '../op.js';
import { type Param, readParam } from '../params.js';
import { type Placement, placeWindow } from '../windows.js';
import { checkSetting, checkVector, imageShape, placedWindow } from './checks.js';

function take(weights: WeightLookup, p: Param, channels: Channels): tf.Tensor {
  const x = readParam(weights, p);
  return channels ? takeChannels(x, channels) : x;
}

/** Throws UserError unless a kernel has so many axes, and its bias an entry for each of its channels. */
export function checkKernel(kernel: Param, bias: Param | undefined, axes: number): void {
  if (kernel.shape.length !== axes) {
    throw new UserError(`the weight "${kernel.name}" has ${kernel.shape.length} axes instead of ${axes}`);
  }
  checkVector(bias, channelCount(kernel.shape));
}

/** y = scale * x + shift, [channel] each; null where it is 1 or 0. */
interface Affine {
  readonly scale: tf.Tensor | null;
  readonly shift: tf.Tensor | null;
}

function affineTerms(op: AffineOp, weights: WeightLookup, channels: Channels): Affine {
  const read = (p: Param | undefined): tf.Tensor | null => (p ? take(weights, p, channels) : null);
  let scale = read(op.scale);
  if (op.variance) {
    const normalizer = tf.rsqrt(tf.add(read(op.variance)!, op.epsilon ?? 0));
    scale = scale ? tf.mul(scale, normalizer) : normalizer;
  }
  let shift = read(op.shift);
  if (op.mean) {
    const centre = scale ? tf.mul(read(op.mean)!, scale) : read(op.mean)!;
    shift = shift ? tf.sub(shift, centre) : tf.neg(centre);
  }
  return { scale, shift };
}

/** Kernel [..., out] and bias [out] of a layer with the batch normalizations after it folded in. */
function foldedWeights(
  op: ConvOp | DenseOp,
  weights: WeightLookup,
  channels: Channels,
  folded: readonly AffineOp[],
): { kernel: tf.Tensor; bias: tf.Tensor | null } {
  let kernel = take(weights, op.kernel, channels);
  let bias = op.bias ? take(weights, op.bias, channels) : null;
  for (const affine of folded) {
    const { scale, shift } = affineTerms(affine, weights, channels);
    if (scale) {
      kernel = tf.mul(kernel, scale);
      bias = bias && tf.mul(bias, scale);
    }
    if (shift) bias = bias ? tf.add(bias, shift) : shift;
  }
  return { kernel, bias };
}

/**
 * A kernel [h, w, in, out] with zeros between its entries. The same convolution without a dilation,
 * because TensorFlow.js has no gradient for dilated ones.
 */
function dilateKernel(kernel: tf.Tensor4D, [dy, dx]: readonly [number, number]): tf.Tensor4D {
  const [h, w, inputs, outputs] = kernel.shape;
  const row = w * inputs * outputs;
  // [h, 1, row] -> [h, dy, row] -> [h * dy, w, in * out]
  const tall = tf.pad(tf.reshape(kernel, [h, 1, row]), [
    [0, 0],
    [0, dy - 1],
    [0, 0],
  ]);
  // [h * dy * w, 1, in * out] -> [h * dy * w, dx, in * out] -> [h * dy, w * dx, in, out]
  const wide = tf.pad(tf.reshape(tall, [h * dy * w, 1, inputs * outputs]), [
    [0, 0],
    [0, dx - 1],
    [0, 0],
  ]);
  const full = tf.reshape(wide, [h * dy, w * dx, inputs, outputs]);
  return tf.slice(full, [0, 0, 0, 0], [(h - 1) * dy + 1, (w - 1) * dx + 1, inputs, outputs]) as tf.Tensor4D;
}

/** Zeros around an image [batch, height, width, channel], for a padding that TensorFlow.js has no name for. */
function padImage(x: tf.Tensor4D, { named, pads }: Placement): tf.Tensor4D {
  return named
    ? x
    : tf.pad4d(x, [
        [0, 0],
        [pads[0], pads[1]],
        [pads[2], pads[3]],
        [0, 0],
      ]);
}

/** @param context - what the convolution is computed with; the shape of its input is that of `input` */
export function convolve(op: ConvOp, input: tf.Tensor, context: RunContextOf): tf.Tensor {
  const { channels, shapes, folded, weights } = context;
  const [, height, width, inputs] = shapes[0] as [number, number, number, number];
  const placement = placeWindow(op.window, height, width);
  const pad = placement.named ?? 'valid';
  const strides = [...op.window.strides] as [number, number];
  const { kernel: k, bias } = foldedWeights(op, weights, channels, folded);
  const dilated = op.window.dilations.some((d) => d > 1);
  const kernel = dilated ? dilateKernel(k as tf.Tensor4D, op.window.dilations) : (k as tf.Tensor4D);
  const [h, w, perGroup, outputs] = kernel.shape;
  const x = padImage(input as tf.Tensor4D, placement);
  let y: tf.Tensor;
  if (op.groups === 1) {
    y = tf.conv2d(x, kernel, strides, pad);
  } else if (perGroup === 1 && op.groups === inputs) {
    // Given some channels, the input has come with one channel for each of them.
    y = tf.depthwiseConv2d(x, tf.reshape(kernel, [h, w, x.shape[3], outputs / x.shape[3]]), strides, pad);
  } else {
    y = groupedConv(x, kernel, op, channels ?? Array.from({ length: outputs }, (_, i) => i), strides, pad);
  }
  return bias ? tf.add(y, bias) : y;
}

type RunContextOf = Parameters<Rule<ConvOp>['run']>[2];

/** One convolution for each group that has a demanded channel. */
function groupedConv(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  op: ConvOp,
  channels: readonly number[],
  strides: [number, number],
  pad: 'valid' | 'same',
): tf.Tensor {
  const [batch, height, width] = x.shape;
  const [h, w, perGroup] = kernel.shape;
  const outputsPerGroup = channelCount(op.kernel.shape) / op.groups;
  const parts: tf.Tensor4D[] = [];
  let start = 0;
  while (start < channels.length) {
    const group = Math.floor(channels[start]! / outputsPerGroup);
    let end = start;
    while (end < channels.length && Math.floor(channels[end]! / outputsPerGroup) === group) end++;
    const part = tf.slice(x, [0, 0, 0, group * perGroup], [batch, height, width, perGroup]) as tf.Tensor4D;
    const filters = tf.slice(kernel, [0, 0, 0, start], [h, w, perGroup, end - start]) as tf.Tensor4D;
    parts.push(tf.conv2d(part, filters, strides, pad));
    start = end;
  }
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 3);
}

export const convRule: Rule<ConvOp> = {
  shape(op, [input]) {
    const [batch, height, width, channels] = imageShape(input);
    checkKernel(op.kernel, op.bias, 4);
    const outputs = channelCount(op.kernel.shape);
    if (!Number.isInteger(op.groups) || op.groups < 1 || outputs % op.groups !== 0) {
      throw new UserError(`a kernel of ${outputs} channels cannot be cut into ${op.groups} groups`);
    }
    const perGroup = op.kernel.shape[2]!;
    if (perGroup * op.groups !== channels) {
      throw new UserError(`the kernel reads ${perGroup * op.groups} channels, its input has ${channels}`);
    }
    const [h, w, ...across] = op.kernel.shape;
    // What is computed with is the kernel with zeros between its entries.
    checkArray([h! * op.window.dilations[0], w! * op.window.dilations[1], ...across]);
    return [batch, ...placedWindow(op.window, [batch, height, width, channels]).output, outputs];
  },
  demand(op, channels, [input]) {
    if (op.groups === 1 || op.groups !== channelCount(input!)) return [undefined];
    const multiplier = channelCount(op.kernel.shape) / op.groups;
    return [channels.map((channel) => Math.floor(channel / multiplier))];
  },
  run: (op, [x], context) => convolve(op, x!, context),
};

export const denseRule: Rule<DenseOp> = {
  shape(op, [input]) {
    checkKernel(op.kernel, op.bias, 2);
    if (op.kernel.shape[0] !== channelCount(input!)) {
      throw new UserError(
        `the weights read ${op.kernel.shape[0]} values, the input has ${channelCount(input!)}: ` +
          'only the size the network was trained at reaches this layer',
      );
    }
    return [...input!.slice(0, -1), op.kernel.shape[1]!];
  },
  demand: () => [undefined],
  run(op, [x], { weights, channels, folded }) {
    const { kernel, bias } = foldedWeights(op, weights, channels, folded);
    const [inputs, outputs] = kernel.shape as [number, number];
    // [batch, ..., in] -> [batch * ..., in] x [in, out]
    const y = tf.matMul(tf.reshape(x!, [-1, inputs]), kernel as tf.Tensor2D);
    return tf.reshape(bias ? tf.add(y, bias) : y, [...x!.shape.slice(0, -1), outputs]);
  },
};

export const affineRule: Rule<AffineOp> = {
  shape(op, [input]) {
    for (const p of [op.mean, op.variance, op.scale, op.shift]) checkVector(p, channelCount(input!));
    if (op.epsilon !== undefined) checkSetting(op.epsilon, 'epsilon');
    return input!;
  },
  demand: (_op, channels) => [channels],
  run(op, [x], { weights, channels }) {
    const { scale, shift } = affineTerms(op, weights, channels);
    const scaled = scale ? tf.mul(x!, scale) : x!;
    return shift ? tf.add(scaled, shift) : scaled;
  },
};

export const constantRule: Rule<ConstantOp> = {
  shape({ value }) {
    if ('data' in value && value.data.length !== sizeOf(value.shape)) {
      throw new UserError(`${value.data.length} numbers do not fill [${shown(value.shape)}]`);
    }
    return value.shape;
  },
  demand: () => [],
  run({ value }, _inputs, { weights, channels }) {
    if ('name' in value) return take(weights, value, channels);
    const x = tf.tensor([...value.data], [...value.shape], 'float32');
    return channels ? takeChannels(x, channels) : x;
  },
};
