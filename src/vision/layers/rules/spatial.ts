/** @file Layers without weights that move along height and width, and local response normalization. */

import { UserError } from '../../../core/errors.js';
import * as tf from '../../../engine/functions/tfjs.js';
import { sizeOf } from '../../../engine/tensor-spec.js';
import { checkArray, checkCount, limits } from '../../limits.js';
import {
  channelCount,
  type LrnOp,
  type PadOp,
  type PoolOp,
  type ReduceOp,
  type ReductionName,
  type ResizeOp,
  type Rule,
  type Shape,
  type SliceOp,
} from '../op.js';
import { borderMatrix, resample, resizeMatrix } from '../resample.js';
import { type Placement, placeWindow, type Window, windowCounts } from '../windows.js';
import { checkAxes, checkResize, checkSetting, imageShape, placedWindow } from './checks.js';

/** Entries begin, begin + step, … of one axis. TensorFlow.js has no gradient for a strided slice. */
function everyNth(x: tf.Tensor, axis: number, begin: number, count: number, step: number): tf.Tensor {
  const { shape } = x;
  const dim = shape[axis]!;
  const outer = sizeOf(shape.slice(0, axis));
  const inner = sizeOf(shape.slice(axis + 1));
  const available = Math.min(count * step, dim - begin);
  // [outer, dim, inner] -> [outer, count * step, inner] -> the first of every step
  const span = tf.slice(tf.reshape(x, [outer, dim, inner]), [0, begin, 0], [outer, available, inner]);
  const whole = tf.pad(span, [
    [0, 0],
    [0, count * step - available],
    [0, 0],
  ]);
  const rows = tf.reshape(whole, [outer * count, step, inner]);
  const first = tf.slice(rows, [0, 0, 0], [outer * count, 1, inner]);
  return tf.reshape(first, [...shape.slice(0, axis), count, ...shape.slice(axis + 1)]);
}

/** What a maximum never picks. */
const lowest = -3.4028234663852886e38;

/**
 * The largest entry of each window. The image is cut and padded to exactly what windows cover, so that no engine has to
 * know of borders: not all give the same gradient there.
 */
function maxPool(
  { size, strides, dilations }: Window,
  x: tf.Tensor4D,
  { output, pads }: Placement,
): tf.Tensor {
  const [batch, height, width, channel] = x.shape;
  const exact = [0, 1].map(
    (axis) => (output[axis]! - 1) * strides[axis]! + (size[axis]! - 1) * dilations[axis]! + 1,
  );
  const [top, left] = [pads[0], pads[2]];
  const kept = [Math.min(height, exact[0]! - top), Math.min(width, exact[1]! - left)] as const;
  const cut = tf.slice(x, [0, 0, 0, 0], [batch, kept[0], kept[1], channel]) as tf.Tensor4D;
  const whole = tf.pad4d(
    cut,
    [
      [0, 0],
      [top, exact[0]! - top - kept[0]],
      [left, exact[1]! - left - kept[1]],
      [0, 0],
    ],
    lowest,
  );
  if (dilations.every((d) => d === 1)) return tf.maxPool(whole, [...size], [...strides], 'valid');
  // One shifted image for each place of the window.
  const shifted = Array.from({ length: size[0] * size[1] }, (_, i) => {
    const [row, column] = [Math.floor(i / size[1]) * dilations[0], (i % size[1]) * dilations[1]];
    const below = everyNth(whole, 1, row, output[0], strides[0]);
    return everyNth(below, 2, column, output[1], strides[1]);
  });
  return shifted.reduce((a, b) => tf.maximum(a, b));
}

export const poolRule: Rule<PoolOp> = {
  shape(op, [input]) {
    const [batch, height, width, channels] = imageShape(input);
    return [batch, ...placedWindow(op.window, [batch, height, width, channels]).output, channels];
  },
  demand: (_op, channels) => [channels],
  run(op, [input], { shapes }) {
    const [, height, width] = shapes[0] as [number, number, number];
    const placement = placeWindow(op.window, height, width);
    const { named, pads } = placement;
    const size = [...op.window.size] as [number, number];
    const strides = [...op.window.strides] as [number, number];
    const padded = (value: number): tf.Tensor4D =>
      tf.pad4d(
        input as tf.Tensor4D,
        [
          [0, 0],
          [pads[0], pads[1]],
          [pads[2], pads[3]],
          [0, 0],
        ],
        value,
      );
    if (op.kind === 'max pool') return maxPool(op.window, input as tf.Tensor4D, placement);
    if (named === 'valid') return tf.avgPool(input as tf.Tensor4D, size, strides, 'valid');
    const y = tf.avgPool(padded(0), size, strides, 'valid');
    const { counts, constant } = windowCounts(op.window, height, width, op.countPadding);
    if (constant) return y;
    const correction = counts.map((count) => (size[0] * size[1]) / count);
    return tf.mul(y, tf.tensor4d(correction, [1, y.shape[1], y.shape[2], 1]));
  },
};

type Reduction = (x: tf.Tensor, axes: number[], keepDims: boolean) => tf.Tensor;
const reductions: Record<ReductionName, Reduction> = {
  mean: tf.mean,
  sum: tf.sum,
  max: tf.max,
  min: tf.min,
  prod: (x, axes, keepDims) => tf.prod(x, axes, keepDims),
  l1: (x, axes, keepDims) => tf.sum(tf.abs(x), axes, keepDims),
  l2: (x, axes, keepDims) => tf.sqrt(tf.sum(tf.square(x), axes, keepDims)),
};

export const reduceRule: Rule<ReduceOp> = {
  shape(op, [input]) {
    checkAxes(op.axes, input!);
    return op.keepDims
      ? input!.map((dim, axis) => (op.axes.includes(axis) ? 1 : dim))
      : input!.filter((_, axis) => !op.axes.includes(axis));
  },
  demand: (op, channels, [input]) => [op.axes.includes(input!.length - 1) ? undefined : channels],
  run: (op, [x]) => reductions[op.name](x!, [...op.axes], op.keepDims),
};

export const padRule: Rule<PadOp> = {
  shape(op, [input]) {
    if (op.pads.length !== input!.length)
      throw new UserError(`pads ${op.pads.length} axes of an array of ${input!.length}`);
    const shape = input!.map((dim, axis) => op.pads[axis]![0] + dim + op.pads[axis]![1]);
    // Crops come first, and must leave something.
    checkArray(
      input!.map((dim, axis) => dim + Math.min(0, op.pads[axis]![0]) + Math.min(0, op.pads[axis]![1])),
    );
    checkSetting(op.value, 'border');
    if (op.mode !== 'constant') {
      const [, height, width] = imageShape(input);
      checkResize(height, shape[1]!);
      checkResize(width, shape[2]!);
    }
    return shape;
  },
  demand: (op, channels) => [op.pads.at(-1)!.every((pad) => pad === 0) ? channels : undefined],
  run(op, [x]) {
    if (op.mode === 'constant') {
      // Negative pads crop.
      const begin = op.pads.map(([before]) => Math.max(0, -before));
      const size = x!.shape.map((dim, axis) => dim - begin[axis]! - Math.max(0, -op.pads[axis]![1]));
      const cropped = size.every((dim, axis) => dim === x!.shape[axis]) ? x! : tf.slice(x!, begin, size);
      const pads = op.pads.map(([a, b]): [number, number] => [Math.max(0, a), Math.max(0, b)]);
      return pads.flat().every((pad) => pad === 0) ? cropped : tf.pad(cropped, pads, op.value);
    }
    const image = x as tf.Tensor4D;
    const [, rows, columns] = op.pads;
    return resample(
      image,
      borderMatrix(image.shape[1], rows![0], rows![1], op.mode),
      borderMatrix(image.shape[2], columns![0], columns![1], op.mode),
    );
  },
};

/** The first entry and how many there are. */
function sliceRange(op: SliceOp, dim: number): { begin: number; count: number; step: number } {
  const absolute = (at: number): number => Math.min(Math.max(at < 0 ? at + dim : at, 0), dim);
  if (![op.begin, op.end, op.step].every(Number.isInteger) || op.step < 1) {
    throw new UserError(`slices from ${op.begin} to ${op.end} by ${op.step}, which is impossible`);
  }
  const begin = absolute(op.begin);
  const count = Math.ceil((absolute(op.end) - begin) / op.step);
  if (count <= 0) throw new UserError(`nothing is left of ${dim} entries: use a larger image`);
  // One entry is no further apart from a next one than the end.
  return { begin, count, step: count === 1 ? 1 : op.step };
}

export const sliceRule: Rule<SliceOp> = {
  shape(op, [input]) {
    checkAxes([op.axis], input!);
    return input!.map((dim, axis) => (axis === op.axis ? sliceRange(op, dim).count : dim));
  },
  demand(op, channels, [input]) {
    if (op.axis !== input!.length - 1) return [channels];
    const { begin } = sliceRange(op, channelCount(input!));
    return [channels.map((channel) => begin + channel * op.step)];
  },
  run(op, [x], { shapes, channels }) {
    // Along channels, the demanded ones are what has come.
    if (channels && op.axis === x!.rank - 1) return x!;
    const dim = shapes[0]![op.axis]!;
    const { begin, count, step } = sliceRange(op, dim);
    return everyNth(x!, op.axis, begin, count, step);
  },
};

export const resizeRule: Rule<ResizeOp> = {
  shape(op, [input, like]) {
    const [batch, height, width, channels] = imageShape(input);
    const [newHeight, newWidth] = resizedTo(op, height, width, like);
    checkResize(height, newHeight);
    checkResize(width, newWidth);
    return [batch, newHeight, newWidth, channels];
  },
  demand: (_op, channels, inputs) => inputs.map((_, i) => (i === 0 ? channels : [])),
  run(op, [x], { shapes }) {
    const [, height, width] = shapes[0] as [number, number, number];
    const [newHeight, newWidth] = resizedTo(op, height, width, shapes[1]);
    return resample(
      x as tf.Tensor4D,
      resizeMatrix(height, newHeight, op.options, op.size ? undefined : op.scales?.[0]),
      resizeMatrix(width, newWidth, op.options, op.size ? undefined : op.scales?.[1]),
    );
  },
};

function resizedTo(op: ResizeOp, height: number, width: number, like?: Shape): [number, number] {
  if (like) return [imageShape(like)[1], imageShape(like)[2]];
  const given = op.size ?? op.scales!;
  if (!given.every((n) => n > 0 && Number.isFinite(n))) {
    throw new UserError(`resizes ${height}x${width} to ${op.size ? '' : 'times '}${given.join('x')}`);
  }
  if (op.size) return [...op.size];
  return [Math.floor(height * op.scales![0]), Math.floor(width * op.scales![1])];
}

export const lrnRule: Rule<LrnOp> = {
  shape(op, [input]) {
    checkCount(channelCount(input!), limits.lrnChannels, 'channels normalized across');
    if (!Number.isInteger(op.size) || op.size < 1) throw new UserError(`normalizes over ${op.size} channels`);
    for (const setting of [op.alpha, op.beta, op.bias]) checkSetting(setting, 'normalization');
    return input!;
  },
  run(op, [x]) {
    const channels = channelCount(x!.shape);
    // The sum over neighbouring channels is a product with a band matrix [channel, channel].
    const before = Math.floor((op.size - 1) / 2);
    const after = Math.ceil((op.size - 1) / 2);
    const band = Array.from({ length: channels * channels }, (_, i) => {
      const offset = Math.floor(i / channels) - (i % channels);
      return offset >= -before && offset <= after ? op.alpha / op.size : 0;
    });
    const squares = tf.reshape(tf.square(x!), [-1, channels]);
    const sums = tf.reshape(
      tf.matMul(squares as tf.Tensor2D, tf.tensor2d(band, [channels, channels])),
      x!.shape,
    );
    return tf.mul(x!, tf.exp(tf.mul(tf.log(tf.add(sums, op.bias)), -op.beta)));
  },
};
