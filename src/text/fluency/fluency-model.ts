/**
 * @file A language model other than the subject, whose probability counts as fluency. It has a tokenizer of its own,
 * so text goes in and out as strings; what a text does to the unit is always computed on the subject's own tokens.
 */

import { UserError } from '../../core/errors.js';
import type { Random } from '../../core/random.js';

export interface FluencyModel {
  readonly name: string;
  /**
   * Cross entropy of texts: the sum of -ln p of the prior's own tokens of the text (its BOS in front, given and not
   * counted), divided by how many those are.
   *
   * @returns nats a token of the prior, one a text
   */
  crossEntropy(texts: readonly string[]): Promise<Float32Array>;
  /** Texts drawn at temperature 1, each of `tokens` of the prior's tokens. */
  sample(count: number, tokens: number, random: Random): Promise<string[]>;
  /** Token positions times layers computed so far. */
  readonly tokenLayers: number;
  dispose(): Promise<void>;
}

/** Nats a token from ln p of every token but the first, rows of `[rows, capacity - 1]` that differ in length. */
export function meanNats(logProbs: Float32Array, lengths: readonly number[], capacity: number): Float32Array {
  return Float32Array.from(lengths, (length, row) => {
    const own = logProbs.subarray(row * (capacity - 1), row * (capacity - 1) + length - 1);
    return -own.reduce((sum, value) => sum + value, 0) / own.length;
  });
}

/** Rows filled up at their ends to one length, `[rows, capacity]`: no token looks at those after it. */
export function padEnds(rows: readonly (readonly number[])[], capacity: number): Int32Array {
  const padded = new Int32Array(rows.length * capacity);
  for (const [i, row] of rows.entries()) padded.set(row, i * capacity);
  return padded;
}

/** Rounds of drawing after which too few long enough texts are taken as they are. */
const ROUNDS = 4;

/**
 * Sequences of the subject's tokens from another model's texts: each is cut after as many tokens as are wanted.
 *
 * @param encode - a text as the subject's tokens, the start token in front
 * @returns `[count, positions]`; texts are repeated where too few were long enough
 */
export async function sampleFor(
  prior: FluencyModel,
  count: number,
  positions: number,
  encode: (text: string) => readonly number[],
  random: Random,
): Promise<Int32Array> {
  const rows: number[][] = [];
  // Twice the tokens are enough for most tokenizers; shorter texts are left out.
  for (let round = 0; round < ROUNDS && rows.length < count; round++) {
    const texts = await prior.sample(count - rows.length, 2 * positions, random);
    for (const text of texts) {
      const ids = encode(text);
      if (ids.length >= positions) rows.push(ids.slice(0, positions));
    }
  }
  if (rows.length === 0)
    throw new UserError(`the prior ${prior.name} writes no text of ${positions - 1} of the subject's tokens`);
  return Int32Array.from(Array.from({ length: count }, (_, i) => rows[i % rows.length]!).flat());
}
