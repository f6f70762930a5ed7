/** @file How many sequences to compute together. */

/**
 * Enough sequences for full speed, few enough for memory: a power of two from 16 to 256.
 *
 * @param positions - of a sequence, BOS included
 */
export function batchFor(dModel: number, positions: number): number {
  return 2 ** Math.floor(Math.log2(Math.min(256, Math.max(16, 4_000_000 / (dModel * positions)))));
}
