/** @file What the decoder compiles: reading a token of every row, and drawing the next. */
import type { Resident } from '../../engine/compile.js';
import { logSoftmax } from '../../engine/functions/ops.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup, WeightSource } from '../../engine/weights/weights.js';
import { cacheNames, cacheShape, namedCache } from '../lm/named-cache.js';
import { step } from '../lm/transformer.js';
import type { Probe } from '../readouts/probe.js';
import { bannedMask } from './draw-steps.js';

export interface DecoderOptions {
  /** Its subject draws. */
  readonly probe: Probe;
  /** Whether z of the rivals is computed beside the unit's. */
  readonly withRivals: boolean;
  /** Positions of a sequence, BOS included. */
  readonly positions: number;
  /** Rows decoded together. */
  readonly batch: number;
  /** Draws in the prior's place. */
  readonly proposal?: Proposal;
}

/**
 * A model that draws in the prior's place, of the same architecture and tokens: one that was tuned for the unit. What
 * it draws counts by the prior's probability over its own, so that the samplers' target stays as it is.
 */
export interface Proposal {
  readonly weights: WeightSource;
  /**
   * How far each row leans to it, `[batch]`: 0 draws from the prior p, 1 from the proposal q, between from their
   * geometric mean p^(1 - share) q^share of each next token, normalized.
   */
  readonly shares: Float32Array;
}

/** What was read of every row: keys, values and the logits of the next token; the same of a proposal, and its share. */
export type Standing = Record<string, Resident>;

/** Name of the proposal's entry beside the prior's. */
export const proposed = (name: string) => `proposal ${name}`;

/** The model that draws. */
export const drawer = ({ probe }: DecoderOptions) => probe.options.subject;

type Specs = Record<string, { shape: number[] }>;

export function cacheSpecs(options: DecoderOptions): Specs {
  const { batch, positions } = options;
  const { spec } = drawer(options);
  const shape = cacheShape(spec, batch, positions);
  return Object.fromEntries(cacheNames(spec).map((name) => [name, { shape }]));
}

export function standingSpecs(options: DecoderOptions): Specs {
  const { batch, proposal } = options;
  const own: Specs = { logits: { shape: [batch, drawer(options).spec.vocab] }, ...cacheSpecs(options) };
  if (!proposal) return own;
  const theirs = Object.entries(own).map(([name, specs]) => [proposed(name), specs] as const);
  return { ...own, ...Object.fromEntries(theirs), share: { shape: [batch, 1] } };
}

/** The entries of a standing that the next token is drawn from. */
export function drawnFrom<T>(standing: Record<string, T>): Record<string, T> {
  const names = ['logits', proposed('logits'), 'share'].filter((name) => name in standing);
  return Object.fromEntries(names.map((name) => [name, standing[name]!]));
}

export function readTokens(
  options: DecoderOptions,
  inputs: Record<string, tf.Tensor>,
  lookup: WeightLookup,
): Record<string, tf.Tensor> {
  const { probe, withRivals } = options;
  const run = readStep(options, inputs, lookup);
  return {
    z: tf.squeeze(probe.trackedZ(lookup, run, withRivals), [1]), // [batch, tracked]
    ...standingOf(options, run),
  };
}

export function readProposal(
  options: DecoderOptions,
  inputs: Record<string, tf.Tensor>,
  lookup: WeightLookup,
): Record<string, tf.Tensor> {
  const read = Object.entries(standingOf(options, readStep(options, inputs, lookup)));
  // The share goes along, so that rows that are exchanged keep what they were drawn with.
  return {
    share: tf.clone(inputs.share!),
    ...Object.fromEntries(read.map(([name, value]) => [proposed(name), value])),
  };
}

function readStep(options: DecoderOptions, inputs: Record<string, tf.Tensor>, lookup: WeightLookup) {
  const { spec } = drawer(options);
  const layers = Array.from({ length: spec.layers }, (_, layer) => layer);
  const cache = {
    keys: layers.map((layer) => inputs[`keys${layer}`]!),
    values: layers.map((layer) => inputs[`values${layer}`]!),
  };
  return step(spec, lookup, { ids: inputs.ids!, positions: inputs.positions!, cache });
}

function standingOf(options: DecoderOptions, run: ReturnType<typeof step>) {
  const shape = [options.batch, drawer(options).spec.vocab];
  return { logits: tf.reshape(run.at('logits'), shape), ...namedCache(run.cache()) };
}

/** By inverting the cumulative distribution at a uniform number. */
export function drawTokens(
  options: DecoderOptions,
  inputs: Record<string, tf.Tensor>,
): Record<string, tf.Tensor> {
  const { batch } = options;
  const { spec, special } = drawer(options);
  const { vocab } = spec;
  const logProbs = logSoftmax(inputs.logits!); // [batch, vocab]
  const towards = inputs[proposed('logits')];
  const leaning = towards
    ? tf.add(inputs.logits!, tf.mul(inputs.share!, tf.sub(towards, inputs.logits!)))
    : inputs.logits!;
  const logDraws = logSoftmax(tf.add(leaning, bannedMask(vocab, special)));
  const cumulative = tf.cumsum(tf.exp(logDraws), 1);
  // Rounding leaves the sum a little off 1: the draw is in what it reached.
  const total = tf.slice(cumulative, [0, vocab - 1], [batch, 1]);
  const below = tf.lessEqual(cumulative, tf.mul(tf.expandDims(inputs.uniform!, 1), total));
  const drawn = tf.minimum(tf.sum(tf.cast(below, 'int32'), 1), tf.scalar(vocab - 1, 'int32'));
  const ids = tf.where(tf.less(inputs.forced!, tf.scalar(0, 'int32')), drawn, inputs.forced!);
  const flat = tf.add(ids, tf.mul(tf.range(0, batch, 1, 'int32'), tf.scalar(vocab, 'int32')));
  const at = (values: tf.Tensor) => tf.gather(tf.reshape(values, [batch * vocab]), flat as tf.Tensor1D);
  return { ids, logProbs: at(logProbs), logDraws: at(logDraws) };
}

/** Rows of `second` where the flag `[batch]` is 1, else of `first`. */
export function selectRows(isSecond: tf.Tensor, second: tf.Tensor, first: tf.Tensor): tf.Tensor {
  const [batch, ...rest] = first.shape as [number, ...number[]];
  const flags = tf.reshape(tf.greater(isSecond, tf.scalar(0, 'int32')), [batch, ...rest.map(() => 1)]);
  return tf.where(flags, second, first);
}
