/** @file What a token's position decides: its learned embedding, its rotation, and the keys it may look at. */
import { onceEach } from '../../core/once.js';
import { HIDDEN, type Rotation } from '../../engine/functions/attention.js';
import * as tf from '../../engine/functions/tfjs.js';
import { rotationTables } from './rotary.js';
import type { Rotary, TransformerSpec } from './spec.js';

/** Where the tokens of a batch stand. */
export interface Positions {
  /** Their rows of the position table, broadcast to `[batch, pos, dModel]`. */
  learned(table: tf.Tensor): tf.Tensor;
  rotation(rotary: Rotary): Rotation;
  /**
   * What is added to the scores, ALiBi's slopes with it, broadcast to `[batch, kvHead, group * qPos, kPos]`: queries of
   * the heads that share a key-value head lie one after the other.
   */
  mask(window: number | null): tf.Tensor;
  /** Whether each query sees itself, all before it and nothing else. */
  causal(window: number | null): boolean;
}

/** Every row holds `pos` positions, the first of them `from`, and sees what stands before them too. */
export function consecutive(spec: TransformerSpec, pos: number, from = 0): Positions {
  const group = spec.heads / spec.kvHeads;
  const end = from + pos;
  return {
    causal: (window) => from === 0 && (window === null || window >= pos),
    learned: (table) => tf.slice(table, [tableOffset(spec) + from, 0], [pos, table.shape[1]!]),
    rotation: onceEach((rotary) => ({
      ...rotationTables(rotary, pos, from),
      rows: null,
      interleaved: rotary.pairs === 'neighbours',
    })),
    mask: onceEach((window) => {
      const queries = tf.reshape(tf.tile(tf.range(from, end, 1, 'int32'), [group]), [group * pos, 1]);
      const keys = tf.reshape(tf.range(0, end, 1, 'int32'), [1, end]);
      const mask = tf.reshape(hidden(queries, keys, window), [1, 1, group * pos, end]);
      return sloped(spec, mask, pos);
    }),
  };
}

/**
 * Every row holds one token, at a position of its own, and sees a cache of `capacity` keys.
 *
 * @param positions - `[batch]` int32
 */
export function singleTokens(spec: TransformerSpec, positions: tf.Tensor1D, capacity: number): Positions {
  const batch = positions.shape[0];
  return {
    causal: () => false,
    learned: (table) => {
      const offset = tableOffset(spec);
      const rows = offset === 0 ? positions : tf.add(positions, tf.scalar(offset, 'int32'));
      return tf.reshape(tf.gather(table, rows as tf.Tensor1D), [batch, 1, spec.dModel]);
    },
    rotation: onceEach((rotary) => ({
      ...rotationTables(rotary, capacity),
      rows: positions,
      interleaved: rotary.pairs === 'neighbours',
    })),
    mask: onceEach((window) => {
      const keys = tf.range(0, capacity, 1, 'int32');
      const mask = hidden(tf.reshape(positions, [batch, 1]), tf.reshape(keys, [1, capacity]), window);
      return sloped(spec, tf.reshape(mask, [batch, 1, 1, capacity]), 1);
    }),
  };
}

/**
 * HIDDEN where a query must not see a key, else 0: `[query, key]`.
 *
 * @param queries - positions, `[query, 1]` int32
 * @param keys - positions, `[1, key]` int32
 */
function hidden(queries: tf.Tensor, keys: tf.Tensor, window: number | null): tf.Tensor {
  const past = tf.lessEqual(keys, queries);
  const seen =
    window === null
      ? past
      : tf.logicalAnd(past, tf.greater(keys, tf.sub(queries, tf.scalar(window, 'int32'))));
  return tf.mul(tf.sub(1, tf.cast(seen, 'float32')), HIDDEN);
}

const tableOffset = ({ positions }: TransformerSpec) => (positions.kind === 'learned' ? positions.offset : 0);

/**
 * A mask with ALiBi's slopes in it, where the network has them: a head's slope times the key's position, which differs
 * from the distance by the same for all keys.
 *
 * @param mask - `[batch, 1, qPos, kPos]`, or the queries of a group one after the other
 */
function sloped(spec: TransformerSpec, mask: tf.Tensor, queries: number): tf.Tensor {
  const { positions, heads, kvHeads } = spec;
  if (positions.kind !== 'alibi') return mask;
  const group = heads / kvHeads;
  const keys = mask.shape[3]!;
  const slopes = alibiSlopes(heads).flatMap((slope) =>
    new Array<number>(queries).fill(slope * positions.scale),
  );
  const column = tf.tensor(slopes, [1, kvHeads, group * queries, 1]);
  return tf.add(mask, tf.mul(column, tf.reshape(tf.range(0, keys), [1, 1, 1, keys])));
}

/** Slopes of ALiBi: a geometric series, filled up from that of twice the heads where they are no power of two. */
function alibiSlopes(heads: number): number[] {
  const power = 2 ** Math.floor(Math.log2(heads));
  const series = (count: number) => Array.from({ length: count }, (_, i) => 2 ** ((-8 * (i + 1)) / count));
  return [...series(power), ...series(2 * power).filter((_, i) => i % 2 === 0)].slice(0, heads);
}
