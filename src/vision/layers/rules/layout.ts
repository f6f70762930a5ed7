/** @file Layers that only move numbers: concatenation, reshaping; softmax at the end. */

import { UserError } from '../../../core/errors.js';
import * as tf from '../../../engine/functions/tfjs.js';
import { sizeOf } from '../../../engine/tensor-spec.js';
import { shown } from '../../limits.js';
import {
  type ConcatOp,
  channelCount,
  type FlattenOp,
  type InputOp,
  type ReshapeOp,
  type Rule,
  type Shape,
  type SoftmaxOp,
  type TransposeOp,
} from '../op.js';
import { checkPermutation } from '../params.js';
import { checkAxes } from './checks.js';

export const inputRule: Rule<InputOp> = {
  shape: (_op, [image]) => image!,
  run: (_op, [image]) => image!,
};

export const concatRule: Rule<ConcatOp> = {
  shape(op, inputs) {
    const [first] = inputs;
    if (!first) throw new UserError('joins nothing');
    checkAxes([op.axis], first);
    const fits = (shape: Shape): boolean =>
      shape.length === first!.length && shape.every((dim, axis) => axis === op.axis || dim === first![axis]);
    if (!inputs.every(fits)) {
      const shapes = inputs.slice(0, 4).map((shape) => `[${shape}]`);
      throw new UserError(
        `cannot join arrays of ${shapes.join(' and ')}${inputs.length > 4 ? ' and more' : ''}`,
      );
    }
    const total = inputs.reduce((sum, shape) => sum + shape[op.axis]!, 0);
    return first!.map((dim, axis) => (axis === op.axis ? total : dim));
  },
  demand(op, channels, inputs) {
    if (op.axis !== inputs[0]!.length - 1) return inputs.map(() => channels);
    let offset = 0;
    return inputs.map((shape) => {
      const start = offset;
      offset += channelCount(shape);
      return channels.filter((c) => c >= start && c < offset).map((c) => c - start);
    });
  },
  run(op, inputs) {
    const present = inputs.filter((x) => x !== null);
    return present.length === 1 ? present[0]! : tf.concat(present, op.axis);
  },
};

export const flattenRule: Rule<FlattenOp> = {
  shape: (_op, [input]) => [input![0]!, sizeOf(input!.slice(1))],
  run(op, [x]) {
    const [batch, ...rest] = x!.shape as [number, ...number[]];
    const image = rest.length === 3 && rest[0]! * rest[1]! > 1;
    // [batch, height, width, channel] -> [batch, channel, height, width]
    const ordered = image && op.order === 'chw' ? tf.transpose(x!, [0, 3, 1, 2]) : x!;
    return tf.reshape(ordered, [batch, sizeOf(rest)]);
  },
};

/** `shape` with its -1 filled in, after the batch. */
function reshapedTo(op: ReshapeOp, [batch, ...rest]: Shape): number[] {
  const size = sizeOf(rest);
  const known = -sizeOf(op.shape);
  const shape = op.shape.map((dim) => (dim === -1 ? size / known : dim));
  if (sizeOf(shape) !== size || !shape.every(Number.isInteger)) {
    throw new UserError(
      `cannot reshape [${rest}] to [${shown(op.shape)}]: only the size the network was exported at reaches this layer`,
    );
  }
  return [batch!, ...shape];
}

export const reshapeRule: Rule<ReshapeOp> = {
  shape: (op, [input]) => reshapedTo(op, input!),
  run: (op, [x]) => tf.reshape(x!, reshapedTo(op, x!.shape)),
};

export const transposeRule: Rule<TransposeOp> = {
  shape(op, [input]) {
    checkPermutation(op.perm, input!);
    return op.perm.map((axis) => input![axis]!);
  },
  run: (op, [x]) => tf.transpose(x!, [...op.perm]),
};

export const softmaxRule: Rule<SoftmaxOp> = {
  shape: (_op, [input]) => input!,
  run: (_op, [x]) => tf.softmax(x!),
};
