/** @file Layers that only move numbers: concatenation, reshaping; softmax at the end. */

import { UserError } from '../../../core/errors.js';
import * as tf from '../../../engine/functions/tfjs.js';
import { sizeOf } from '../../../engine/tensor-spec.js';
import { shown } from '../../limits.js';
import {
  type ConcatOp,
  channelCount,
  type FlattenOp,
  type GatherOp,
  type InputOp,
  type ReshapeOp,
  type Rule,
  type Shape,
  type SoftmaxOp,
  type SqueezeOp,
  type TransposeOp,
  type UnsqueezeOp,
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
    // A constant is there once for all pictures.
    const batch = Math.max(...inputs.map((shape) => shape[0]!));
    const fits = (shape: Shape): boolean =>
      shape.length === first!.length &&
      shape.every(
        (dim, axis) => axis === op.axis || (axis === 0 ? dim === batch || dim === 1 : dim === first![axis]),
      );
    if (!inputs.every(fits)) {
      const shapes = inputs.slice(0, 4).map((shape) => `[${shape}]`);
      throw new UserError(
        `cannot join arrays of ${shapes.join(' and ')}${inputs.length > 4 ? ' and more' : ''}`,
      );
    }
    const total = inputs.reduce((sum, shape) => sum + shape[op.axis]!, 0);
    return first!.map((dim, axis) => (axis === op.axis ? total : axis === 0 ? batch : dim));
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
    const given = inputs.filter((x) => x !== null);
    const batch = Math.max(...given.map((x) => x.shape[0]!));
    const present = given.map((x) =>
      op.axis === 0 || x.shape[0] === batch ? x : tf.broadcastTo(x, [batch, ...x.shape.slice(1)]),
    );
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
function reshapedTo({ shape: wanted, leading }: ReshapeOp, [first, ...rest]: Shape): number[] {
  const { from, to } = leading ?? { from: 1, to: 1 };
  // Entries of one picture.
  const size = sizeOf(rest) * from;
  const pictures = first! / from;
  const open = [...(leading ? [to] : []), ...wanted];
  const known = -sizeOf(open);
  const filled = open.map((dim) => (dim === -1 ? size / known : dim));
  if (sizeOf(filled) !== size || !filled.every(Number.isInteger)) {
    throw new UserError(
      `cannot reshape [${rest}] to [${shown(wanted)}]: only the size the network was exported at reaches this layer`,
    );
  }
  return leading ? [pictures * filled[0]!, ...filled.slice(1)] : [pictures, ...filled];
}

export const reshapeRule: Rule<ReshapeOp> = {
  shape: (op, [input]) => reshapedTo(op, input!),
  run: (op, [x]) => tf.reshape(x!, reshapedTo(op, x!.shape)),
};

export const squeezeRule: Rule<SqueezeOp> = {
  shape(op, [input]) {
    checkAxes(op.axes, input!);
    if (op.axes.some((axis) => axis === 0 || input![axis] !== 1))
      throw new UserError(`cannot take the axes ${shown(op.axes)} out of [${input}]`);
    return input!.filter((_, axis) => !op.axes.includes(axis));
  },
  run: (op, [x]) =>
    tf.reshape(
      x!,
      x!.shape.filter((_, axis) => !op.axes.includes(axis)),
    ),
};

export const unsqueezeRule: Rule<UnsqueezeOp> = {
  shape: (op, [input]) => [...input!, ...new Array<number>(op.count).fill(1)],
  run: (op, [x]) => tf.reshape(x!, [...x!.shape, ...new Array<number>(op.count).fill(1)]),
};

export const gatherRule: Rule<GatherOp> = {
  shape({ axis, indices }, [input]) {
    checkAxes([axis], input!);
    const wrong = indices.find((index) => !Number.isInteger(index) || index < 0 || index >= input![axis]!);
    if (wrong !== undefined || axis === 0 || indices.length === 0)
      throw new UserError(`picks entry ${wrong ?? 0} of ${input![axis]} along axis ${axis}`);
    return input!.map((dim, i) => (i === axis ? indices.length : dim));
  },
  demand: ({ axis }, channels, [input]) => (axis === input!.length - 1 ? [undefined] : [channels]),
  run: ({ axis, indices }, [x]) => tf.gather(x!, tf.tensor1d([...indices], 'int32'), axis),
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
