/** @file Some steps of drawing as one graph: each slot reads a token, with a key-value cache, and draws the next. */
import type { TensorSpec } from '../engine/tensor-spec.js';
import * as tf from '../engine/tfjs.js';
import { cacheNames, cacheShape, namedCache } from './named-cache.js';
import type { TransformerSpec } from './spec.js';
import { type KeyValueCache, step } from './transformer.js';

/** Tokens drawn in one call of the graph: enough to hide the call, few enough to compile fast. */
export const STEPS = 4;

/** Name of a cache's entry as the parents' input. */
export const ofParents = (name: string) => `parents' ${name}`;

export interface DrawOptions {
  readonly spec: TransformerSpec;
  /** Tokens that are never drawn (BOS, padding …). */
  readonly banned: readonly number[];
  /** Positions of a sequence, BOS included. */
  readonly positions: number;
  /** Slots: rows drawn together. */
  readonly batch: number;
  /** Sequences that slots may begin from. */
  readonly parents: number;
}

/** In the place of a parent's number: the slot goes on with what it has read. */
export const GOES_ON = -1;

/** What the steps are given beside weights. */
export function drawInputs({ spec, positions, batch, parents }: DrawOptions): Record<string, TensorSpec> {
  const slots = { shape: [batch], dtype: 'int32' } as const;
  const caches = cacheNames(spec).flatMap((name): [string, TensorSpec][] => [
    [name, { shape: cacheShape(spec, batch, positions) }],
    [ofParents(name), { shape: cacheShape(spec, parents, positions) }],
  ]);
  return {
    ids: { shape: [batch, positions], dtype: 'int32' },
    ...{ parent: slots, read: slots, from: slots, end: slots },
    uniform: { shape: [batch, STEPS] },
    sharpness: { shape: [batch, 1] },
    ...Object.fromEntries(caches),
  };
}

/**
 * Each step reads the token at `read` and draws the next by inverting the cumulative distribution at a uniform number;
 * before `from` the next one stands already, and a slot that has drawn what is before `end` reads its last token again,
 * to no effect. A slot begins with the cache of its `parent`.
 */
export function drawSteps(
  { spec, banned, batch, positions }: DrawOptions,
  inputs: Record<string, tf.Tensor>,
  lookup: (name: string) => tf.Tensor,
): Record<string, tf.Tensor> {
  const layers = Array.from({ length: spec.layers }, (_, layer) => layer);
  const isNew = tf.reshape(tf.greaterEqual(inputs.parent!, tf.scalar(0, 'int32')), [batch, 1, 1, 1]);
  const parent = tf.maximum(inputs.parent!, tf.scalar(0, 'int32')) as tf.Tensor1D;
  const standing = (name: string) =>
    tf.where(isNew, tf.gather(inputs[ofParents(name)]!, parent), inputs[name]!);
  let cache: KeyValueCache = {
    keys: layers.map((l) => standing(`keys${l}`)),
    values: layers.map((l) => standing(`values${l}`)),
  };
  let ids = inputs.ids!;
  const one = tf.scalar(1, 'int32');
  // The last token that is read; empty slots read BOS.
  const last = tf.maximum(tf.sub(inputs.end!, tf.scalar(2, 'int32')), tf.scalar(0, 'int32'));
  const columns = tf.range(0, positions, 1, 'int32');
  const isAt = (position: tf.Tensor) => tf.equal(columns, tf.expandDims(position, 1)); // [batch, positions]
  for (let done = 0; done < STEPS; done++) {
    const reached = tf.add(inputs.read!, tf.scalar(done, 'int32')); // [batch]
    const here = tf.minimum(reached, last);
    const next = tf.add(here, one);
    const active = tf.logicalAnd(tf.lessEqual(reached, last), tf.greaterEqual(next, inputs.from!));
    const token = tf.sum(tf.mul(ids, tf.cast(isAt(here), 'int32')), 1);
    const read = step(spec, lookup, { ids: token, positions: here, cache });
    cache = read.cache();
    const logits = tf.reshape(read.at('logits'), [batch, spec.vocab]);
    const allowed = tf.add(tf.mul(logits, inputs.sharpness!), bannedMask(spec.vocab, banned));
    const cumulative = tf.cumsum(tf.softmax(allowed), 1);
    // Rounding leaves the sum a little off 1: the draw is in what it reached.
    const total = tf.slice(cumulative, [0, spec.vocab - 1], [batch, 1]);
    const point = tf.mul(tf.slice(inputs.uniform!, [0, done], [batch, 1]), total);
    const below = tf.lessEqual(cumulative, point);
    const drawn = tf.minimum(tf.sum(tf.cast(below, 'int32'), 1), tf.scalar(spec.vocab - 1, 'int32'));
    const written = tf.logicalAnd(isAt(next), tf.expandDims(active, 1));
    ids = tf.where(written, tf.expandDims(drawn, 1), ids);
  }
  return { drawn: ids, ...namedCache(cache) };
}

/** `[vocab]`: what is added to logits so that banned tokens get no probability. */
export function bannedMask(vocab: number, banned: readonly number[]): tf.Tensor1D {
  const mask = new Float32Array(vocab);
  for (const id of banned) mask[id] = -1e9;
  return tf.tensor1d(mask);
}
