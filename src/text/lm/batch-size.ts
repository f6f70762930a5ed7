/** @file How many sequences to compute together. */

/**
 * Enough sequences for full speed, few enough that a turn of a search stays short: a power of two from 32 to 256
 * (64 sequences of 12 tokens for a model of GPT-2 small's width).
 *
 * @param positions - of a sequence, BOS included
 */
export function batchFor(dModel: number, positions: number): number {
  return 2 ** Math.floor(Math.log2(Math.min(256, Math.max(32, 1_000_000 / (dModel * positions)))));
}

/** Sequences of a turn that are computed in one call: small enough that filling up the last one wastes little. */
export const callBatch = (turn: number) => Math.max(32, turn / 4);
