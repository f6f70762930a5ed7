/**
 * @file Importance weights: samples of the prior, or of a proposal, as a sample of sigma. What best-of-N does when nothing but the
 * best is kept; the effective sample size says how far it reaches.
 */
import { effectiveSampleSize, logMeanExp } from './log-weights.js';
import { idsOf, type Sequences, sumOf } from './sequences.js';

export interface Weighted {
  /** The mean of exp(log weight) estimates Z, the sum of p(x) exp(beta reward(x)); `[rows]`. */
  readonly logWeights: Float64Array;
  readonly logZ: number;
  readonly effectiveSampleSize: number;
}

/**
 * Weights of sequences that were drawn from the prior or a proposal, one independent of the other.
 *
 * @param rewards - sigmas, `[rows]`
 * @param beta - per sigma
 * @param isText - sequences that count at all
 */
export function importanceWeights(
  sequences: Sequences,
  rewards: Float64Array,
  beta: number,
  isText: (ids: Int32Array) => boolean = () => true,
): Weighted {
  const { positions } = sequences;
  const logWeights = rewards.map((reward, row) => {
    if (!isText(idsOf(sequences, row))) return Number.NEGATIVE_INFINITY;
    const sum = (of: Float64Array) => sumOf(of, sequences, row, 1, positions);
    return sum(sequences.logProbs) - sum(sequences.logDraws) + beta * reward;
  });
  return {
    logWeights,
    logZ: logMeanExp(logWeights),
    effectiveSampleSize: effectiveSampleSize(logWeights),
  };
}
