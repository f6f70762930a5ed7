/** @file Transposed convolution: an ordinary one over the image with zeros between its entries. */

import { UserError } from '../../../core/errors.js';
import * as tf from '../../../engine/functions/tfjs.js';
import { sizeOf } from '../../../engine/tensor-spec.js';
import { checkArray } from '../../limits.js';
import { type ConvOp, channelCount, type Rule, type TransposedConvOp } from '../op.js';
import { validPadding } from '../windows.js';
import { imageShape } from './checks.js';
import { checkKernel, convolve } from './weighted.js';

/** Where a transposed convolution cuts its full result along one axis, and how long what is left is. */
function transposedExtent(
  op: TransposedConvOp,
  axis: 0 | 1,
  input: number,
): { before: number; output: number } {
  const stride = op.strides[axis];
  const reach = (op.kernel.shape[axis]! - 1) * op.dilations[axis] + 1;
  const full = (input - 1) * stride + reach;
  if (op.pads === 'same') {
    const output = input * stride;
    return { before: Math.max(0, Math.floor((full - output) / 2)), output };
  }
  const [before, after] = axis === 0 ? op.pads : [op.pads[2], op.pads[3]];
  return { before, output: full - before - after + op.outputPads[axis] };
}

/** [outer, length, inner] with zeros between the entries of an axis of an image. */
function spread(x: tf.Tensor4D, axis: 1 | 2, stride: number): tf.Tensor4D {
  if (stride === 1) return x;
  const shape = x.shape;
  const [outer, inner] = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis + 1))];
  const apart = tf.pad(tf.reshape(x, [outer * shape[axis], 1, inner]), [
    [0, 0],
    [0, stride - 1],
    [0, 0],
  ]);
  const length = shape[axis] * stride;
  const long = tf.slice(
    tf.reshape(apart, [outer, length, inner]),
    [0, 0, 0],
    [outer, length - stride + 1, inner],
  );
  return tf.reshape(long, [...shape.slice(0, axis), length - stride + 1, ...shape.slice(axis + 1)] as never);
}

export const transposedConvRule: Rule<TransposedConvOp> = {
  shape(op, [input]) {
    const [batch, height, width, channels] = imageShape(input);
    checkKernel(op.kernel, op.bias, 4);
    if (![...op.strides, ...op.dilations].every((n) => Number.isInteger(n) && n >= 1))
      throw new UserError(`has strides ${op.strides} and dilations ${op.dilations}`);
    const perGroup = op.kernel.shape[2]!;
    if (perGroup * op.groups !== channels)
      throw new UserError(`the kernel reads ${perGroup * op.groups} channels, its input has ${channels}`);
    const output = [
      batch,
      transposedExtent(op, 0, height).output,
      transposedExtent(op, 1, width).output,
      channelCount(op.kernel.shape),
    ];
    checkArray(output, batch);
    return output;
  },
  demand: () => [undefined],
  run(op, [x], context) {
    const [, height, width] = context.shapes[0] as [number, number, number, number];
    const wide = spread(spread(x as tf.Tensor4D, 1, op.strides[0]), 2, op.strides[1]);
    const pads = ([0, 1] as const).map((axis): [number, number] => {
      const { before, output } = transposedExtent(op, axis, [height, width][axis]!);
      const reach = (op.kernel.shape[axis]! - 1) * op.dilations[axis];
      const length = wide.shape[axis + 1]!;
      return [reach - before, output + reach - (reach - before) - length];
    });
    const [rows, columns] = pads as [[number, number], [number, number]];
    const begin = [0, Math.max(0, -rows[0]), Math.max(0, -columns[0]), 0];
    const end = wide.shape.map(
      (dim, axis) => dim - (axis === 1 ? Math.max(0, -rows[1]) : axis === 2 ? Math.max(0, -columns[1]) : 0),
    );
    const cut = tf.slice(
      wide,
      begin,
      end.map((dim, axis) => dim - begin[axis]!),
    ) as tf.Tensor4D;
    const around = ([a, b]: [number, number]): [number, number] => [Math.max(0, a), Math.max(0, b)];
    const padded = tf.pad4d(cut, [[0, 0], around(rows), around(columns), [0, 0]]);
    const [h, w] = op.kernel.shape as readonly [number, number];
    const window = { size: [h, w], strides: [1, 1], dilations: op.dilations, padding: validPadding } as const;
    const { kernel, bias, groups } = op;
    const conv: ConvOp = { kind: 'conv', kernel, ...(bias && { bias }), window, groups };
    return convolve(conv, padded, { ...context, shapes: [padded.shape] });
  },
};
