/** @file What vision transformers compute with tokens [batch, token, channel]: patches by rows, after the class token and its like. */
import { UserError } from '../../../core/errors.js';
import { softmaxAttention } from '../../../engine/functions/attention.js';
import { layerNorm } from '../../../engine/functions/ops.js';
import * as tf from '../../../engine/functions/tfjs.js';
import { shown } from '../../limits.js';
import { channelCount, type Rule, type Shape } from '../op.js';
import { readParam } from '../params.js';
import type {
  AttentionOp,
  HeadNormsOp,
  LayerNormOp,
  TokenMapOp,
  TokenOp,
  ToTokensOp,
} from '../transformer-op.js';
import { checkSetting, checkVector, imageShape } from './checks.js';

/** [batch, token, channel] */
function tokenShape(input: Shape | undefined): [number, number, number] {
  if (input?.length === 3) return [...input] as [number, number, number];
  throw new UserError(`wants tokens of three axes, not [${input ?? ''}]`);
}

export const toTokensRule: Rule<ToTokensOp> = {
  shape(_op, [input]) {
    const [batch, height, width, channels] = imageShape(input);
    return [batch, height * width, channels];
  },
  demand: (_op, channels) => [channels],
  run(_op, [x]) {
    const [batch, height, width, channels] = x!.shape as [number, number, number, number];
    return tf.reshape(x!, [batch, height * width, channels]);
  },
};

export const tokenMapRule: Rule<TokenMapOp> = {
  shape({ prefix }, [tokens, image]) {
    const [batch, count, channels] = tokenShape(tokens);
    const [, height, width] = imageShape(image);
    if (count !== prefix + height * width)
      throw new UserError(
        `has ${count} tokens where ${prefix} and ${height} x ${width} patches are expected`,
      );
    return [batch, height, width, channels];
  },
  // Of the image only the size counts.
  demand: (_op, channels) => [channels, []],
  run({ prefix }, [x], { shapes }) {
    const [batch, , channels] = x!.shape as [number, number, number];
    const [, height, width] = shapes[1] as [number, number, number];
    const patches = tf.slice(x!, [0, prefix, 0], [batch, height * width, channels]);
    return tf.reshape(patches, [batch, height, width, channels]);
  },
};

export const tokenRule: Rule<TokenOp> = {
  shape({ index }, [input]) {
    const [batch, count, channels] = tokenShape(input);
    if (!(Number.isInteger(index) && index >= 0 && index < count))
      throw new UserError(`reads token ${index} of ${count}`);
    return [batch, channels];
  },
  demand: (_op, channels) => [channels],
  run({ index }, [x]) {
    const [batch, , channels] = x!.shape as [number, number, number];
    return tf.reshape(tf.slice(x!, [0, index, 0], [batch, 1, channels]), [batch, channels]);
  },
};

export const layerNormRule: Rule<LayerNormOp> = {
  shape(op, [input]) {
    for (const p of [op.scale, op.shift]) checkVector(p, channelCount(input!));
    checkSetting(op.epsilon, 'epsilon');
    return input!;
  },
  run(op, [x], { weights }) {
    const shift = op.shift ? readParam(weights, op.shift) : null;
    return layerNorm(x!, readParam(weights, op.scale), shift, op.epsilon);
  },
};

function checkHeads(heads: number, channels: number): void {
  if (!Number.isInteger(heads) || heads < 1 || channels % heads !== 0)
    throw new UserError(`${channels} channels cannot be shared by ${heads} attention heads`);
}

/** [batch, token, channel] -> [batch, head, token, dHead] */
function byHead(x: tf.Tensor, heads: number): tf.Tensor {
  const [batch, count, channels] = x.shape as [number, number, number];
  return tf.transpose(tf.reshape(x, [batch, count, heads, channels / heads]), [0, 2, 1, 3]);
}

export const attentionRule: Rule<AttentionOp> = {
  shape({ heads }, [q, k, v]) {
    const shape = tokenShape(q);
    checkHeads(heads, shape[2]);
    for (const other of [k, v]) {
      if (`${other}` !== `${q}`)
        throw new UserError(`attends from [${q}] to [${shown(other ?? [])}], which is not supported`);
    }
    return shape;
  },
  run({ heads }, [q, k, v]) {
    const [batch, count, channels] = q!.shape as [number, number, number];
    const scale = Math.sqrt(heads / channels);
    const { z } = softmaxAttention(byHead(q!, heads), byHead(k!, heads), byHead(v!, heads), null, { scale });
    return tf.reshape(tf.transpose(z, [0, 2, 1, 3]), [batch, count, channels]);
  },
};

/** Keeps the gradient of a head finite that adds nothing at all. */
const TINY = 1e-12;

export const headNormsRule: Rule<HeadNormsOp> = {
  shape({ heads, kernel }, [input]) {
    const [batch, count, channels] = tokenShape(input);
    checkHeads(heads, channels);
    if (kernel.shape.length !== 2 || kernel.shape[0] !== channels)
      throw new UserError(
        `the weight "${kernel.name}" is [${shown(kernel.shape)}] where ${channels} values come`,
      );
    return [batch, count, heads];
  },
  run({ heads, kernel }, [z], { weights }) {
    const [batch, count] = z!.shape as [number, number, number];
    const gram = headGrams(readParam(weights, kernel), heads);
    const parts = byHead(z!, heads);
    // |z W|^2 = z (W W^T) z^T, of which the middle depends on weights alone.
    const squares = tf.sum(tf.mul(tf.matMul(parts, gram), parts), 3);
    return tf.reshape(tf.transpose(tf.sqrt(tf.add(tf.relu(squares), TINY)), [0, 2, 1]), [
      batch,
      count,
      heads,
    ]);
  },
};

/** W W^T of each head's rows of a projection [channel, out], as [1, head, dHead, dHead]. */
function headGrams(kernel: tf.Tensor, heads: number): tf.Tensor {
  const [channels, out] = kernel.shape as [number, number];
  const rows = tf.reshape(kernel, [1, heads, channels / heads, out]);
  return tf.matMul(rows, rows, false, true);
}
