/** @file What a token's position decides: its learned embedding, its rotation, and the keys it may look at. */
import * as tf from '../engine/tfjs.js';
import { once } from './once.js';
import { rotationTables } from './rotary.js';
import type { TransformerSpec } from './spec.js';

/** Added to the score of a key that a query must not see; exp() of it is zero. */
const HIDDEN = -1e9;

/** Where the tokens of a batch stand. */
export interface Positions {
  /** Their rows of the position table, broadcast to `[batch, pos, dModel]`. */
  learned(table: tf.Tensor): tf.Tensor;
  /** Angles' cosine and sine, `[pos, pairs]` or `[batch, 1, pos, pairs]`. */
  rotation(): { cos: tf.Tensor; sin: tf.Tensor };
  /**
   * What is added to the scores, broadcast to `[batch, kvHead, group * qPos, kPos]`: queries of the heads that
   * share a key-value head lie one after the other.
   */
  mask(window: number | null): tf.Tensor;
}

/** Every row holds positions 0 … pos - 1. */
export function wholeSequences(spec: TransformerSpec, pos: number): Positions {
  const group = spec.heads / spec.kvHeads;
  return {
    learned: (table) => tf.slice(table, [0, 0], [pos, spec.dModel]),
    rotation: once(() => rotationTables(spec, pos)),
    mask: onceEach((window) => {
      const mask = new Float32Array(group * pos * pos);
      for (let row = 0; row < group * pos; row++) {
        const query = row % pos;
        for (let key = 0; key < pos; key++)
          mask[row * pos + key] = key > query || (window !== null && key <= query - window) ? HIDDEN : 0;
      }
      return tf.tensor(mask, [1, 1, group * pos, pos]);
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
  const keys = once(() => keyPositions(capacity));
  const column = once(() => tf.reshape(positions, [batch, 1]));
  return {
    learned: (table) => tf.reshape(tf.gather(table, positions), [batch, 1, spec.dModel]),
    rotation: once(() => {
      const tables = rotationTables(spec, capacity);
      const own = (table: tf.Tensor) => tf.reshape(tf.gather(table, positions), [batch, 1, 1, -1]);
      return { cos: own(tables.cos), sin: own(tables.sin) };
    }),
    mask: onceEach((window) => {
      const past = tf.lessEqual(keys(), column()); // [batch, capacity]
      const seen =
        window === null
          ? past
          : tf.logicalAnd(past, tf.greater(keys(), tf.sub(column(), tf.scalar(window, 'int32'))));
      const hidden = tf.mul(tf.sub(1, tf.cast(seen, 'float32')), HIDDEN);
      return tf.reshape(hidden, [batch, 1, 1, capacity]);
    }),
  };
}

function keyPositions(capacity: number): tf.Tensor {
  return tf.tensor(
    Int32Array.from({ length: capacity }, (_, key) => key),
    [1, capacity],
    'int32',
  );
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
