/** @file Causal self-attention of whole sequences for training: only what is not masked is computed. */
import { withGradient } from './own-gradient.js';
import * as tf from './tfjs.js';

/** Queries taken together; they share the keys up to the last of them. */
const BLOCK = 64;

/**
 * Scaled dot-product attention in which each position sees itself and those before it, by blocks of queries
 * (Dao, FlashAttention-2, arXiv 2307.08691, without its online softmax: a block's scores fit the cache).
 *
 * @param q - [batch, head, pos, dHead], likewise k and v
 * @returns z [batch, head, pos, dHead]
 */
export function causalAttention(q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D, scale: number): tf.Tensor4D {
  function forward(q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D) {
    const pos = q.shape[2];
    const patterns: tf.Tensor4D[] = [];
    const outputs: tf.Tensor4D[] = [];
    for (const [start, end] of blocks(pos)) {
      const scores = tf.matMul(tf.mul(rows(q, start, end), scale), rows(k, 0, end), false, true);
      const pattern = tf.softmax(tf.add(scores, causalMask(start, end))) as tf.Tensor4D; // [batch, head, block, end]
      patterns.push(pattern);
      outputs.push(tf.matMul(pattern, rows(v, 0, end)) as tf.Tensor4D);
    }
    const z = tf.concat(outputs, 2);
    return { value: z, saved: [q, k, v, z, ...patterns] as const };
  }

  function backward(
    dy: tf.Tensor,
    [q, k, v, z, ...patterns]: ReturnType<typeof forward>['saved'],
  ): tf.Tensor[] {
    const dz = dy as tf.Tensor4D;
    const pos = q.shape[2];
    // Each row's sum of pattern * d pattern, without touching the pattern: it equals that of z * dz.
    const along = tf.sum(tf.mul(dz, z), -1, true) as tf.Tensor4D; // [batch, head, pos, 1]
    const dqs: tf.Tensor4D[] = [];
    let dk: tf.Tensor4D | undefined;
    let dv: tf.Tensor4D | undefined;
    for (const [i, [start, end]] of [...blocks(pos)].entries()) {
      const pattern = patterns[i]!;
      const dzBlock = rows(dz, start, end);
      const dPattern = tf.matMul(dzBlock, rows(v, 0, end), false, true);
      const dScores = tf.mul(pattern, tf.sub(dPattern, rows(along, start, end)));
      dqs.push(tf.matMul(dScores, rows(k, 0, end)) as tf.Tensor4D);
      dk = addTo(dk, tf.matMul(dScores, rows(q, start, end), true, false) as tf.Tensor4D);
      dv = addTo(dv, tf.matMul(pattern, dzBlock, true, false) as tf.Tensor4D);
    }
    return [tf.mul(tf.concat(dqs, 2), scale), tf.mul(dk!, scale), dv!];
  }

  return withGradient([q, k, v] as const, forward, backward) as tf.Tensor4D;
}

/** First query and last key (exclusive) of each block. */
function* blocks(pos: number): Generator<readonly [start: number, end: number]> {
  for (let start = 0; start < pos; start += BLOCK) yield [start, Math.min(pos, start + BLOCK)];
}

/** Positions [start, end) of [batch, head, pos, x]. */
function rows(x: tf.Tensor4D, start: number, end: number): tf.Tensor4D {
  return tf.slice(x, [0, 0, start, 0], [-1, -1, end - start, -1]);
}

/** [1, 1, end - start, end]: hides keys after each query. */
function causalMask(start: number, end: number): tf.Tensor {
  const queries = tf.reshape(tf.range(start, end, 1, 'int32'), [end - start, 1]);
  const later = tf.greater(tf.reshape(tf.range(0, end, 1, 'int32'), [1, end]), queries);
  return tf.reshape(tf.mul(tf.cast(later, 'float32'), -1e9), [1, 1, end - start, end]);
}

/** A sum whose terms grow along pos: the shorter one is of the first positions. */
function addTo(sum: tf.Tensor4D | undefined, term: tf.Tensor4D): tf.Tensor4D {
  if (!sum) return term;
  const longer = term.shape[2] - sum.shape[2];
  return tf.add(
    term,
    tf.pad(sum, [
      [0, 0],
      [0, 0],
      [0, longer],
      [0, 0],
    ]),
  );
}
