/**
 * @file Attention: rotary positions, softmax attention, and attention of one token a row with a key-value cache.
 *
 * As in ops.ts: ONNX nodes where there are such, compositions of TensorFlow.js operations on eager engines.
 */

import { emit, tracing } from '../compiler/emit.js';
import { capped, differentiable } from './ops.js';
import * as tf from './tfjs.js';

/** Added to the score of a key that a query must not see; exp() of it is zero. */
export const HIDDEN = -1e9;

/** Where tokens stand on the circles of rotary positions: rows of tables of angles. */
export interface Rotation {
  /** Cosine and sine by position and pair of dimensions, `[positions, pairs]`. */
  readonly cos: tf.Tensor;
  readonly sin: tf.Tensor;
  /** The row of the tables that each row of a batch, of one token, stands at, int32 `[batch]`; null: 0, 1, 2 … */
  readonly rows: tf.Tensor | null;
  /** Neighbours turn together, as in GPT-J, not the dimensions of the two halves. */
  readonly interleaved?: boolean;
}

/**
 * Turns queries or keys by their positions (Su et al. 2021). Halves are pairs unless `interleaved`: dimension i of the
 * first half and of the second turn together, as in GPT-NeoX and Llama. Dimensions beyond 2 * pairs pass through.
 *
 * @param x - [batch, head, pos, dHead]
 */
export function rotate(x: tf.Tensor, { cos, sin, rows, interleaved = false }: Rotation): tf.Tensor {
  const turned = (x: tf.Tensor, cos: tf.Tensor, sin: tf.Tensor, rows: tf.Tensor | undefined) =>
    tracing() ? rotaryNode(x, cos, sin, rows, interleaved) : rotaryEager(x, cos, sin, rows, interleaved);
  return differentiable(rows ? [x, cos, sin, rows] : [x, cos, sin], turned, (dy, _y, _x, cos, sin, rows) => [
    turned(dy, cos!, tf.neg(sin!), rows),
  ]);
}

function rotaryNode(
  x: tf.Tensor,
  cos: tf.Tensor,
  sin: tf.Tensor,
  rows: tf.Tensor | undefined,
  interleaved: boolean,
): tf.Tensor {
  const [batch, head, pos, dHead] = x.shape as [number, number, number, number];
  const pairs = cos.shape.at(-1)!;
  const ids = rows
    ? tf.reshape(rows, [batch, 1])
    : tf.broadcastTo(tf.reshape(tf.range(0, pos, 1, 'int32'), [1, pos]), [batch, pos]);
  return emit([x, ids, cos, sin], (graph, [values, at, ...tables]) =>
    graph.node('RotaryEmbedding', [values!, graph.cast(at!, 'int64'), ...tables], x.shape, 'float32', {
      ...(2 * pairs < dHead && { rotary_embedding_dim: 2 * pairs, num_heads: head }),
      ...(interleaved && { interleaved: 1 }),
    }),
  );
}

function rotaryEager(
  x: tf.Tensor,
  cos: tf.Tensor,
  sin: tf.Tensor,
  rows: tf.Tensor | undefined,
  interleaved: boolean,
): tf.Tensor {
  const [batch, head, pos, dHead] = x.shape as [number, number, number, number];
  const pairs = cos.shape.at(-1)!;
  const own = (table: tf.Tensor) =>
    rows
      ? tf.reshape(tf.gather(table, rows as tf.Tensor1D), [batch, 1, 1, pairs])
      : tf.slice(table, [0, 0], [pos, pairs]);
  const [c, s] = [own(cos), own(sin)];
  const part = (start: number, size: number) => tf.slice(x, [0, 0, 0, start], [batch, head, pos, size]);
  /** Every other dimension of those that turn, from `start` on. */
  const everyOther = (start: number) => {
    const byPair = tf.reshape(part(0, 2 * pairs), [batch, head, pos * pairs, 2]);
    return tf.reshape(tf.slice(byPair, [0, 0, 0, start], [-1, -1, -1, 1]), [batch, head, pos, pairs]);
  };
  const first = interleaved ? everyOther(0) : part(0, pairs); // [batch, head, pos, pairs]
  const second = interleaved ? everyOther(1) : part(pairs, pairs);
  const both = [tf.sub(tf.mul(first, c), tf.mul(second, s)), tf.add(tf.mul(second, c), tf.mul(first, s))];
  const turned = interleaved ? [tf.reshape(tf.stack(both, 4), [batch, head, pos, 2 * pairs])] : both;
  if (2 * pairs < dHead) turned.push(part(2 * pairs, dHead - 2 * pairs));
  return tf.concat(turned, 3);
}

/** How products of queries and keys become a pattern. */
export interface Scoring {
  readonly scale: number;
  /** Scores s become cap * tanh(s / cap) before the mask (Gemma 2); null: they stay. */
  readonly cap?: number | null;
  /** A score beside those of the keys, whose share goes nowhere (GPT-OSS): [1, head, qPos, 1]. */
  readonly sink?: tf.Tensor | null;
}

/**
 * Scaled dot-product attention of one layer.
 *
 * @param q - [batch, head, qPos, dHead]
 * @param k - [batch, head, kPos, dHead]
 * @param v - [batch, head, kPos, dHead]
 * @param mask - added to the scores; broadcasts to [batch, head, qPos, kPos]
 * @returns pattern [batch, head, qPos, kPos], rows sum to 1, the sink's share included; z [batch, head, qPos, dHead]
 */
export function softmaxAttention(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  mask: tf.Tensor | null,
  { scale, cap = null, sink = null }: Scoring,
): { pattern: tf.Tensor; z: tf.Tensor } {
  const products = tf.matMul(q, k, false, true);
  const scaled = capped(scale === 1 ? products : tf.mul(products, scale), cap);
  const scores = mask ? tf.add(scaled, mask) : scaled;
  const pattern = sink ? besideSink(scores, sink) : tf.softmax(scores);
  return { pattern, z: tf.matMul(pattern, v) };
}

function besideSink(scores: tf.Tensor, sink: tf.Tensor): tf.Tensor {
  const [batch, head, queries, keys] = scores.shape as [number, number, number, number];
  const own = tf.broadcastTo(sink, [batch, head, queries, 1]);
  return tf.slice(tf.softmax(tf.concat([scores, own], 3)), [0, 0, 0, 0], [batch, head, queries, keys]);
}

/** Whether a place of a cache is where its row's token stands, `[batch, 1, capacity, 1]`. */
function isHere(positions: tf.Tensor, capacity: number): tf.Tensor {
  const here = tf.equal(tf.range(0, capacity, 1, 'int32'), tf.expandDims(positions, 1));
  return tf.reshape(here, [positions.shape[0]!, 1, capacity, 1]);
}

/** The gradients of a cache and of what was written to it, given that of the result of writing. */
function writeGradients(dy: tf.Tensor, positions: tf.Tensor): [cache: tf.Tensor, x: tf.Tensor] {
  const here = isHere(positions, dy.shape[2]!);
  const zeros = tf.zerosLike(dy);
  return [tf.where(here, zeros, dy), tf.sum(tf.where(here, dy, zeros), 2, true)];
}

/**
 * Writes one position of each row of a key-value cache.
 *
 * @param cache - [batch, head, capacity, dHead]
 * @param x - [batch, head, 1, dHead]
 * @param positions - int32 [batch]
 * @returns the cache with x at each row's position
 */
export function writeAt(cache: tf.Tensor, x: tf.Tensor, positions: tf.Tensor): tf.Tensor {
  const [batch, head, capacity, dHead] = cache.shape as [number, number, number, number];
  const value = (cache: tf.Tensor, x: tf.Tensor, positions: tf.Tensor) => {
    // A scatter touches the written rows only; a select passes over the whole cache (8 times slower here).
    if (!tracing()) return tf.where(isHere(positions, capacity), x, cache);
    const column = (of: (row: number) => number) =>
      tf.tensor2d(
        Int32Array.from({ length: batch * head }, (_, row) => of(row)),
        [batch * head, 1],
        'int32',
      );
    const rows = tf.reshape(tf.broadcastTo(tf.expandDims(positions, 1), [batch, head]), [batch * head, 1]);
    const indices = tf.concat(
      [column((row) => Math.floor(row / head)), column((row) => row % head), rows],
      1,
    );
    return emit([cache, indices, tf.reshape(x, [batch * head, dHead])], (graph, [target, at, update]) =>
      graph.node('ScatterND', [target!, graph.cast(at!, 'int64'), update!], cache.shape, 'float32'),
    );
  };
  return differentiable([cache, x, positions], value, (dy, _y, _cache, _x, positions) =>
    writeGradients(dy, positions),
  );
}

/** Keys and values of past tokens, `[batch, kvHead, capacity, dHead]`. */
export interface Cache {
  readonly k: tf.Tensor;
  readonly v: tf.Tensor;
}

/**
 * Attention of one token a row to what was read before it and to itself, and the cache with it.
 *
 * @param q - [batch, head, 1, dHead]
 * @param k - [batch, kvHead, 1, dHead]
 * @param v - likewise
 * @param positions - where each row's token stands, int32 [batch]
 * @returns z [batch, head, 1, dHead], and the cache with k and v at each row's position; past it, it may hold anything
 */
export function attendCached(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  cache: Cache,
  positions: tf.Tensor,
  scale: number,
): Cache & { readonly z: tf.Tensor } {
  const [batch, heads, , dHead] = q.shape as [number, number, number, number];
  const [, kvHeads, capacity] = cache.k.shape as [number, number, number, number];
  // The heads that share a key-value head are more queries to it: [batch, kvHead, group, dHead].
  const grouped = (x: tf.Tensor) => tf.reshape(x, [batch, kvHeads, heads / kvHeads, dHead]);
  const plain = (q: tf.Tensor, keys: tf.Tensor, values: tf.Tensor, positions: tf.Tensor) => {
    const past = tf.lessEqual(tf.range(0, capacity, 1, 'int32'), tf.expandDims(positions, 1));
    const mask = tf.reshape(tf.mul(tf.sub(1, tf.cast(past, 'float32')), HIDDEN), [batch, 1, 1, capacity]);
    return softmaxAttention(grouped(q), keys, values, mask, { scale });
  };
  // The operation wants vectors of a multiple of eight.
  if (!tracing() || dHead % 8 !== 0) {
    const after = { k: writeAt(cache.k, k, positions), v: writeAt(cache.v, v, positions) };
    return { ...after, z: tf.reshape(plain(q, after.k, after.v, positions).z, q.shape) };
  }
  const shapes = [[batch, 1, heads * dHead], cache.k.shape, cache.v.shape];
  const flat = (x: tf.Tensor) => tf.reshape(x, [batch, 1, -1]); // [batch, 1, head * dHead]
  const node = (output: number) =>
    emit(
      [flat(q), flat(k), flat(v), cache.k, cache.v, positions, tf.scalar(capacity, 'int32')],
      (graph, values) =>
        graph.nodes(
          'GroupQueryAttention',
          values,
          shapes.map((shape) => ({ shape, dtype: 'float32' })),
          { num_heads: heads, kv_num_heads: kvHeads, scale: { f: scale } },
        )[output]!,
    );
  const written = (output: number, cache: tf.Tensor, x: tf.Tensor) =>
    differentiable(
      [cache, x, positions],
      () => node(output),
      (dy, _y, _cache, _x, positions) => writeGradients(dy, positions),
    );
  const after = { k: written(1, cache.k, k), v: written(2, cache.v, v) };
  const z = differentiable(
    [q, after.k, after.v, positions],
    () => tf.reshape(node(0), q.shape),
    (dy, z, q, keys, values, positions) => {
      const { pattern } = plain(q!, keys!, values!, positions!); // [batch, kvHead, group, capacity]
      const dz = grouped(dy);
      const along = tf.sum(tf.mul(dz, grouped(z)), -1, true);
      const dScores = tf.mul(tf.mul(pattern, tf.sub(tf.matMul(dz, values!, false, true), along)), scale);
      return [
        tf.reshape(tf.matMul(dScores, keys!), q!.shape),
        tf.matMul(dScores, grouped(q!), true, false),
        tf.matMul(pattern, dz, true, false),
      ];
    },
  );
  return { ...after, z };
}
