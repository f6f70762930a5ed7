/** @file A cache for more positions than were read. */
import * as tf from '../../src/engine/functions/tfjs.js';
import type { KeyValueCache } from '../../src/text/lm/reading.js';

/** A cache with room for `capacity` positions. What lies past a row's position is never read. */
export function padCache(cache: KeyValueCache, capacity: number): KeyValueCache {
  const pad = (x: tf.Tensor) =>
    tf.pad(x, [
      [0, 0],
      [0, 0],
      [0, capacity - x.shape[2]!],
      [0, 0],
    ]);
  return { keys: cache.keys.map(pad), values: cache.values.map(pad) };
}
