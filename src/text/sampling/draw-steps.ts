/** @file Some steps of drawing as one graph: each slot reads a token, with a key-value cache, and draws the next. */

import * as tf from '../../engine/functions/tfjs.js';
import type { TensorSpec } from '../../engine/tensor-spec.js';
import { cacheNames, cacheShape, namedCache } from '../lm/named-cache.js';
import type { KeyValueCache } from '../lm/reading.js';
import type { Subject } from '../lm/subject.js';
import { step } from '../lm/transformer.js';
import { logitsOf, tokenLogits } from '../lm/unembed.js';
import type { Probe } from '../readouts/probe.js';
import type { Told } from './known.js';

/**
 * Tokens that a slot draws in a turn, before it may be given another row. Random numbers are drawn a turn at a time, so that
 * what is drawn does not depend on how many calls of the graph a turn has.
 */
export const TURN = 4;

/** Name of a cache's entry as the parents' input. */
export const ofParents = (name: string) => `parents' ${name}`;

export interface DrawOptions {
  readonly subject: Subject;
  /** Positions of a sequence, BOS included. */
  readonly positions: number;
  /** Slots: rows drawn together. */
  readonly batch: number;
  /** Sequences that slots may begin from. */
  readonly parents: number;
  /** Tokens drawn in one call of the graph, a divisor of a turn's: enough to hide the call, few enough to compile fast. */
  readonly steps: number;
  /** Whether ln p of the tokens is computed, of those that are drawn and those that are passed. */
  readonly logProbs?: boolean;
  /** What this says of each position that is read is computed as well. */
  readonly probe?: Probe;
}

/** In the place of a parent's number: the slot keeps what it has read. */
export const GOES_ON = -1;

/** Whether a call may end before a row is done, so that its cache is kept for the next. */
export const keepsCaches = ({ positions, steps }: Pick<DrawOptions, 'positions' | 'steps'>) =>
  steps < positions - 1;

/** What the steps are given beside weights. */
export function drawInputs(options: DrawOptions): Record<string, TensorSpec> {
  const { positions, batch, parents, steps } = options;
  const { spec } = options.subject;
  const slots = { shape: [batch], dtype: 'int32' } as const;
  const caches = cacheNames(spec).flatMap((name): [string, TensorSpec][] => [
    [name, { shape: cacheShape(spec, batch, positions) }],
    [ofParents(name), { shape: cacheShape(spec, parents, positions) }],
  ]);
  return {
    ids: { shape: [batch, positions], dtype: 'int32' },
    parent: slots,
    read: slots,
    from: slots,
    end: slots,
    until: slots,
    uniform: { shape: [batch, steps] },
    sharpness: { shape: [batch, 1] },
    ...Object.fromEntries(caches),
  };
}

/**
 * Each step reads the token at `read` and draws the next by inverting the cumulative distribution at a uniform number;
 * before `from` the next one stands already, and from `end` on. A slot that has read what is before `until` reads its last
 * token again, to no effect. A slot begins with the cache of its `parent`.
 *
 * @returns the rows (`drawn`), the caches where they are kept, and where it is asked for, `[batch, steps]` each: ln p of
 *   each step's next token, and what the probe says of its own (as `Told`)
 */
export function drawSteps(
  options: DrawOptions,
  inputs: Record<string, tf.Tensor>,
  lookup: (name: string) => tf.Tensor,
): Record<string, tf.Tensor> {
  const { batch, positions, parents, steps, probe, logProbs = probe !== undefined } = options;
  const { spec, special } = options.subject;
  const layers = Array.from({ length: spec.layers }, (_, layer) => layer);
  // Parents' caches first, then the slots' own.
  const own = tf.add(tf.range(0, batch, 1, 'int32'), tf.scalar(parents, 'int32'));
  const goesOn = tf.equal(inputs.parent!, tf.scalar(GOES_ON, 'int32'));
  const source = tf.where(goesOn, own, inputs.parent!) as tf.Tensor1D;
  const standing = (name: string) =>
    tf.gather(tf.concat([inputs[ofParents(name)]!, inputs[name]!], 0), source);
  let cache: KeyValueCache = {
    keys: layers.map((l) => standing(`keys${l}`)),
    values: layers.map((l) => standing(`values${l}`)),
  };
  let ids = inputs.ids!;
  const one = tf.scalar(1, 'int32');
  // The last token that is read; empty slots read what stands at position 0.
  const last = tf.sub(inputs.until!, one);
  const columns = tf.range(0, positions, 1, 'int32');
  const isAt = (position: tf.Tensor) => tf.equal(columns, tf.expandDims(position, 1)); // [batch, positions]
  const told: Partial<Record<keyof Told, tf.Tensor>>[] = [];
  for (let done = 0; done < steps; done++) {
    const reached = tf.add(inputs.read!, tf.scalar(done, 'int32')); // [batch]
    const here = tf.minimum(reached, last);
    const next = tf.add(here, one);
    const isInside = tf.logicalAnd(tf.greaterEqual(next, inputs.from!), tf.less(next, inputs.end!));
    const active = tf.logicalAnd(tf.lessEqual(reached, last), isInside);
    const token = tf.sum(tf.mul(ids, tf.cast(isAt(here), 'int32')), 1);
    const read = step(spec, lookup, { ids: token, positions: here, cache });
    cache = read.cache();
    const logits = tf.add(
      tf.reshape(read.at('logits'), [batch, spec.vocab]),
      bannedMask(spec.vocab, special),
    );
    const top = tf.max(logits, 1, true);
    const below = tf.sub(logits, top);
    const weights = tf.exp(tf.mul(below, inputs.sharpness!));
    const drawn = drawTokens(weights, tf.slice(inputs.uniform!, [0, done], [batch, 1]));
    const written = tf.logicalAnd(isAt(next), tf.expandDims(active, 1));
    ids = tf.where(written, tf.expandDims(drawn, 1), ids);
    const nextLogProb = () => {
      const hidden = tf.reshape(read.at('ln_final.hook_normalized'), [batch, spec.dModel]);
      const token = tf.sum(tf.mul(ids, tf.cast(isAt(next), 'int32')), 1);
      const own = tf.expandDims(tokenLogits(spec, lookup, hidden, token), 1);
      const others = special.length > 0 ? logitsOf(spec, lookup, hidden as tf.Tensor2D, special) : null;
      return tf.sub(own, logTotal(top, below, others));
    };
    told.push({
      ...(logProbs && { logProbs: nextLogProb() }),
      ...probe?.standingAtPositions(lookup, read),
    });
  }
  return {
    drawn: ids,
    ...Object.fromEntries(
      (Object.keys(told[0]!) as (keyof Told)[]).map((name) => [
        name,
        tf.concat(
          told.map((step) => step[name]!),
          1,
        ),
      ]),
    ),
    ...(keepsCaches(options) && namedCache(cache)),
  };
}

/**
 * ln of the sum of exp over all logits, `[batch, 1]`.
 *
 * @param top - the largest of those that may be drawn, `[batch, 1]`
 * @param below - how far each is below it, `[batch, vocab]`
 * @param banned - those that may not, `[batch, banned]`, which are not among them
 */
function logTotal(top: tf.Tensor, below: tf.Tensor, banned: tf.Tensor | null): tf.Tensor {
  const allowed = tf.add(top, tf.log(tf.sum(tf.exp(below), 1, true)));
  return banned ? tf.logSumExp(tf.concat([allowed, banned], 1), 1, true) : allowed;
}

/**
 * Draws tokens by inverting the cumulative distribution: first a block of tokens, then one of it, so that two short sums are
 * accumulated and not one over the vocabulary.
 *
 * @param weights - of which each is drawn by its share, `[batch, vocab]`
 * @param uniform - `[batch, 1]`, from 0 to 1
 * @returns tokens, `[batch]` int32
 */
function drawTokens(weights: tf.Tensor, uniform: tf.Tensor): tf.Tensor {
  const [batch, vocab] = weights.shape as [number, number];
  const blocks = largestDivisor(vocab);
  const size = vocab / blocks;
  const byBlock = tf.reshape(weights, [batch * blocks, size]);
  const block = drawIndex(tf.reshape(tf.sum(byBlock, 1), [batch, blocks]), uniform);
  const rows = tf.add(tf.mul(tf.range(0, batch, 1, 'int32'), tf.scalar(blocks, 'int32')), block.index);
  const { index } = drawIndex(tf.gather(byBlock, rows as tf.Tensor1D), block.rest);
  return tf.add(tf.mul(block.index, tf.scalar(size, 'int32')), index);
}

/** Below 1 by more than rounding, so that no entry without weight is reached. */
const ALMOST_ONE = 1 - 1e-6;

/**
 * The entry in which the cumulative weights pass a share of their sum, and the share of that entry's own weight that lies
 * before it.
 *
 * @param weights - `[batch, count]`
 * @param share - `[batch, 1]`
 */
function drawIndex(weights: tf.Tensor, share: tf.Tensor): { index: tf.Tensor; rest: tf.Tensor } {
  const [batch, count] = weights.shape as [number, number];
  const cumulative = tf.cumsum(weights, 1);
  const total = tf.slice(cumulative, [0, count - 1], [batch, 1]);
  const point = tf.mul(tf.minimum(share, ALMOST_ONE), total);
  const isBelow = tf.lessEqual(cumulative, point);
  const index = tf.sum(tf.cast(isBelow, 'int32'), 1);
  const isChosen = tf.cast(tf.equal(tf.range(0, count, 1, 'int32'), tf.expandDims(index, 1)), 'float32');
  const before = tf.sum(tf.mul(weights, tf.cast(isBelow, 'float32')), 1, true);
  // The two sums round differently; below 0 an entry without weight could be drawn.
  const rest = tf.maximum(tf.sub(point, before), 0);
  return { index, rest: tf.div(rest, tf.sum(tf.mul(weights, isChosen), 1, true)) };
}

/** The largest divisor of a number that is not above its square root. */
function largestDivisor(n: number): number {
  let divisor = Math.floor(Math.sqrt(n));
  while (n % divisor !== 0) divisor--;
  return divisor;
}

/** `[vocab]`: what is added to logits so that banned tokens get no probability. */
export function bannedMask(vocab: number, banned: readonly number[]): tf.Tensor1D {
  const mask = new Float32Array(vocab);
  for (const id of banned) mask[id] = -1e9;
  return tf.tensor1d(mask);
}
