/** @file Estimates from independent runs of a sampler, with their standard errors. */
import { logMeanExp, normalized } from '../../src/text/sampling/log-weights.js';

export interface Estimate {
  readonly value: number;
  /** Infinite from a single run. */
  readonly standardError: number;
}

/** Weighted means of one run: of Z, and of some values under sigma. */
export interface RunEstimate {
  readonly logZ: number;
  /** Means under sigma by the run's own weights. */
  readonly means: readonly number[];
}

/** What a run's weights make of values, `[rows]` each. */
export function runEstimate(logWeights: Float64Array, ...values: readonly ArrayLike<number>[]): RunEstimate {
  const weights = normalized(logWeights);
  const mean = (of: ArrayLike<number>) => weights.reduce((sum, weight, row) => sum + weight * of[row]!, 0);
  return { logZ: logMeanExp(logWeights), means: values.map(mean) };
}

/** ln Z over runs: each run's Z is unbiased, so their plain mean is (the error by the delta method). */
export function estimateLogZ(runs: readonly RunEstimate[]): Estimate {
  const logZs = runs.map(({ logZ }) => logZ);
  const value = logMeanExp(logZs);
  return { value, standardError: standardError(logZs.map((logZ) => Math.exp(logZ - value) - 1)) };
}

/** Mean of value `which` under sigma: a ratio of two unbiased means, so runs count by their Z. */
export function estimateMean(runs: readonly RunEstimate[], which: number): Estimate {
  const shares = normalized(runs.map(({ logZ }) => logZ));
  const value = runs.reduce((sum, { means }, i) => sum + shares[i]! * means[which]!, 0);
  const residuals = runs.map(({ means }, i) => runs.length * shares[i]! * (means[which]! - value));
  return { value, standardError: standardError(residuals) };
}

/** Standard error of the mean of deviations whose own mean is near zero. */
function standardError(deviations: readonly number[]): number {
  const count = deviations.length;
  if (count < 2) return Number.POSITIVE_INFINITY;
  const squares = deviations.reduce((sum, x) => sum + x * x, 0);
  return Math.sqrt(squares / (count * (count - 1)));
}
