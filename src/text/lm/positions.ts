/** @file What a token's position decides: its learned embedding, its rotation, and the keys it may look at. */

import { once } from '../../core/once.js';
import { HIDDEN, type Rotation } from '../../engine/functions/attention.js';
import * as tf from '../../engine/functions/tfjs.js';
import { rotationTables } from './rotary.js';
import type { TransformerSpec } from './spec.js';

/** Where the tokens of a batch stand. */
export interface Positions {
  /** Their rows of the position table, broadcast to `[batch, pos, dModel]`. */
  learned(table: tf.Tensor): tf.Tensor;
  rotation(): Rotation;
  /**
   * What is added to the scores, broadcast to `[batch, kvHead, group * qPos, kPos]`: queries of the heads that
   * share a key-value head lie one after the other.
   */
  mask(window: number | null): tf.Tensor;
  /** Whether each query sees itself, all before it and nothing else. */
  causal(window: number | null): boolean;
}

/** Every row holds positions 0 … pos - 1. */
export function consecutive(spec: TransformerSpec, pos: number): Positions {
  const group = spec.heads / spec.kvHeads;
  return {
    causal: (window) => window === null || window >= pos,
    learned: (table) => tf.slice(table, [0, 0], [pos, table.shape[1]!]),
    rotation: once(() => ({ ...rotationTables(spec, pos), rows: null })),
    mask: onceEach((window) => {
      const range = tf.range(0, pos, 1, 'int32');
      const queries = tf.reshape(tf.tile(range, [group]), [group * pos, 1]);
      return tf.reshape(hidden(queries, tf.reshape(range, [1, pos]), window), [1, 1, group * pos, pos]);
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
    learned: (table) => tf.reshape(tf.gather(table, positions), [batch, 1, spec.dModel]),
    rotation: once(() => ({ ...rotationTables(spec, capacity), rows: positions })),
    mask: onceEach((window) => {
      const keys = tf.range(0, capacity, 1, 'int32');
      return tf.reshape(hidden(tf.reshape(positions, [batch, 1]), tf.reshape(keys, [1, capacity]), window), [
        batch,
        1,
        1,
        capacity,
      ]);
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

function onceEach<K, T>(compute: (key: K) => T): (key: K) => T {
  const results = new Map<K, T>();
  return (key) => {
    const known = results.get(key);
    if (known !== undefined) return known;
    const result = compute(key);
    results.set(key, result);
    return result;
  };
}
