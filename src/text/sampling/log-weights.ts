/** @file Weights of a weighted sample, kept as logarithms: sums, effective size, resampling. */
import type { Random } from '../../core/random.js';

/** ln of the sum of exp; minus infinity for nothing. */
export function logSumExp(values: ArrayLike<number>): number {
  let top = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) top = Math.max(top, values[i]!);
  if (top === Number.NEGATIVE_INFINITY) return top;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i]! - top);
  return top + Math.log(sum);
}

/** ln of the mean of exp. */
export function logMeanExp(values: ArrayLike<number>): number {
  return logSumExp(values) - Math.log(values.length);
}

/** Weights that sum to 1; all zero where every weight is zero. */
export function normalized(logWeights: ArrayLike<number>): Float64Array {
  const total = logSumExp(logWeights);
  return Float64Array.from(logWeights, (w) => (total === Number.NEGATIVE_INFINITY ? 0 : Math.exp(w - total)));
}

/** Kish's effective sample size, (sum w)^2 / sum w^2: from 1 (one entry has it all) to the number of entries. */
export function effectiveSampleSize(logWeights: ArrayLike<number>): number {
  const squares = normalized(logWeights).reduce((sum, w) => sum + w * w, 0);
  return squares === 0 ? 0 : 1 / squares;
}

/**
 * Systematic resampling: each entry as often as its weight asks, rounded up or down by one uniform number.
 *
 * @returns an index an entry, ascending; each its own where every weight is zero
 */
export function systematicResample(logWeights: ArrayLike<number>, random: Random): Int32Array {
  const weights = normalized(logWeights);
  const count = weights.length;
  const alive = Array.from(weights.keys()).filter((i) => weights[i]! > 0);
  if (alive.length === 0) return Int32Array.from({ length: count }, (_, i) => i);
  const offset = random.uniform();
  let [at, reached] = [0, weights[alive[0]!]!];
  return Int32Array.from({ length: count }, (_, i) => {
    // The last one takes what rounding leaves.
    while (reached <= (i + offset) / count && at < alive.length - 1) reached += weights[alive[++at]!]!;
    return alive[at]!;
  });
}
