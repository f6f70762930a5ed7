/** @file Layers that rearrange channels and pixels in blocks, normalize groups of channels, or multiply activations. */
import { UserError } from '../../../core/errors.js';
import * as tf from '../../../engine/functions/tfjs.js';
import { broadcastShape, sizeOf } from '../../../engine/tensor-spec.js';
import {
  channelCount,
  type DepthToSpaceOp,
  type GroupNormOp,
  type MatMulOp,
  type Rule,
  type Shape,
} from '../op.js';
import { checkSetting, imageShape } from './checks.js';

export const depthToSpaceRule: Rule<DepthToSpaceOp> = {
  shape({ block, inverse }, [input]) {
    const [batch, height, width, channels] = imageShape(input);
    const shape = inverse
      ? [batch, height / block, width / block, channels * block ** 2]
      : [batch, height * block, width * block, channels / block ** 2];
    if (!(block >= 1) || !shape.every(Number.isInteger))
      throw new UserError(`cannot cut [${input}] into blocks of ${block}`);
    return shape;
  },
  run({ block, mode, inverse }, [x]) {
    const [batch, height, width, channels] = x!.shape as [number, number, number, number];
    if (inverse) {
      const depth = channels;
      const [rows, columns] = [height / block, width / block];
      const cut = tf.reshape(x!, [batch, rows, block, columns, block, depth]);
      const perm = mode === 'DCR' ? [0, 1, 3, 2, 4, 5] : [0, 1, 3, 5, 2, 4];
      return tf.reshape(tf.transpose(cut, perm), [batch, rows, columns, depth * block ** 2]);
    }
    const depth = channels / block ** 2;
    const parts = mode === 'DCR' ? [block, block, depth] : [depth, block, block];
    const cut = tf.reshape(x!, [batch, height, width, ...parts]);
    const perm = mode === 'DCR' ? [0, 1, 3, 2, 4, 5] : [0, 1, 4, 2, 5, 3];
    return tf.reshape(tf.transpose(cut, perm), [batch, height * block, width * block, depth]);
  },
};

export const groupNormRule: Rule<GroupNormOp> = {
  shape({ groups, epsilon }, [input]) {
    checkSetting(epsilon, 'epsilon');
    if (!Number.isInteger(groups) || groups < 1 || channelCount(input!) % groups !== 0)
      throw new UserError(`cannot cut ${channelCount(input!)} channels into ${groups} groups`);
    return input!;
  },
  run({ groups, epsilon }, [x]) {
    const [batch, ...rest] = x!.shape as [number, ...number[]];
    const channels = rest.at(-1)!;
    // [batch, positions, groups, channels of a group]
    const grouped = tf.reshape(x!, [batch, sizeOf(rest) / channels, groups, channels / groups]);
    const centred = tf.sub(grouped, tf.mean(grouped, [1, 3], true));
    const variance = tf.mean(tf.square(centred), [1, 3], true);
    return tf.reshape(tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon))), x!.shape);
  },
};

/** Axes of length 1 in front, up to `rank`. */
const withRank = (shape: Shape, rank: number): number[] => [
  ...new Array<number>(Math.max(0, rank - shape.length)).fill(1),
  ...shape,
];

export const matMulRule: Rule<MatMulOp> = {
  shape(_op, [a, b]) {
    const fault = new UserError(`cannot multiply [${a}] by [${b}]`);
    if (a!.length < 2 || b!.length < 2 || a!.at(-1) !== b!.at(-2)) throw fault;
    try {
      return [...broadcastShape(a!.slice(0, -2), b!.slice(0, -2)), a!.at(-2)!, b!.at(-1)!];
    } catch {
      throw fault;
    }
  },
  run(_op, [a, b]) {
    const rank = Math.max(a!.rank, b!.rank);
    const [x, y] = [a!, b!].map((each) => tf.reshape(each, withRank(each.shape, rank)));
    return tf.matMul(x!, y!);
  },
};
