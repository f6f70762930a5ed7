/** @file How much text calibration counts over: as much as half a minute allows. */
import { sizeOf } from '../../engine/tensor-spec.js';
import { parameterShapes } from '../lm/parameters.js';
import type { TransformerSpec } from '../lm/spec.js';

/** Sequences and their length after BOS: 16,384 positions, which gives a standard deviation to about 1 %. */
export const MOST_SEQUENCES = 256;
export const SEQUENCE_LENGTH = 64;
/** 512 positions: with fewer, z is no measure. */
const LEAST_SEQUENCES = 8;

/** Weights from which on reading them costs more than computing with them, unless many sequences are drawn together. */
const LARGE = 2 ** 29;
const SHORT_LENGTH = 16;

/** What drawing and counting should take at most. */
const SECONDS = 30;
/** Floating point operations a second of two cores, for a guess before anything was measured. */
const GUESSED_SPEED = 40e9;
/** Drawing reads each token once, counting once again. */
const PASSES = 2;

const multiplications = (spec: TransformerSpec): number =>
  [...parameterShapes(spec).values()].reduce((sum, shape) => sum + sizeOf([...shape]), 0);

const isLarge = (spec: TransformerSpec) => multiplications(spec) >= LARGE;

/** Length of a drawn sequence after BOS: of a large model, short ones of which more are drawn, for as many positions. */
export const drawnLength = (spec: TransformerSpec): number =>
  isLarge(spec) ? SHORT_LENGTH : SEQUENCE_LENGTH;

/**
 * Sequences drawn together: few of a large model, whose caches are large too. (One graph for all tokens of a sequence would
 * keep no caches between calls, but the time to open a session grows with the square of its nodes: minutes for 26 layers.)
 */
export const drawnTogether = (spec: TransformerSpec): number => (isLarge(spec) ? 8 : Infinity);

/** A power of two within the limits, which are so many positions. */
function settle(sequences: number, length: number): number {
  const [least, most] = [LEAST_SEQUENCES, MOST_SEQUENCES].map((count) => (count * SEQUENCE_LENGTH) / length);
  return 2 ** Math.floor(Math.log2(Math.min(most!, Math.max(least!, sequences))));
}

/** How many sequences fit into the time, by the size of the model alone: the same on every machine. */
export function guessSequences(spec: TransformerSpec, length = SEQUENCE_LENGTH): number {
  const positions = Math.min(length + 1, spec.context);
  const each = (PASSES * 2 * multiplications(spec) * positions) / GUESSED_SPEED;
  return settle(SECONDS / each, length);
}

/** How many fit, once some have been drawn. @param each - seconds to draw one */
export const affordSequences = (each: number, length: number): number =>
  settle(SECONDS / (PASSES * each), length);
