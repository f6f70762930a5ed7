/** @file What a tuning run is unless asked otherwise; the figures in `bench/rl` are of these. */

/** Baselines: the mean of the other samples, or of all. */
export const tuneAlgorithms = ['rloo', 'grpo'] as const;

/** How the divergence enters the gradient (`policy-gradient.ts`). */
export const klEstimatorNames = ['k1', 'k3'] as const;

export const tuneDefaults = {
  /** Tokens of a text. */
  length: 12,
  steps: 200,
  /** Texts a step. */
  batch: 128,
  learningRate: 0.005,
  weightDecay: 0,
  clipNorm: 1,
  /** Adapters are scaled by alpha / rank. */
  rank: 8,
  alphaOfRank: 2,
  targets: ['all-linear'],
  checkpointEvery: 10,
  selectivity: 0,
  algorithm: 'rloo',
  kl: 'k1',
} as const;

export const tuneBounds = {
  steps: { min: 1, max: 1e9 },
  /** One text alone has nothing to be compared with. */
  batch: { min: 2, max: 65_536 },
  rank: { min: 1, max: 4096 },
  checkpointEvery: { min: 1, max: 1e9 },
  selectivity: { min: 0, max: 1 },
} as const;

/** Divergence from the prior that a policy is steered to, nats a token. */
const TARGET_PER_TOKEN = 1.1;

/**
 * How far a policy may go. Rewards differ in spread from unit to unit, so one price of a nat fits few of them: unless
 * a price is given it is steered to a divergence of 1.1 nats a token.
 *
 * @param beta - sigmas a nat; where it begins when a target is given too
 * @param klTarget - nats a text
 */
export function priceOf(
  length: number,
  { beta, klTarget }: { readonly beta?: number | undefined; readonly klTarget?: number | undefined },
): { beta: number; klTarget?: number } {
  const target = klTarget ?? (beta === undefined ? TARGET_PER_TOKEN * length : undefined);
  return { beta: beta ?? 0.1, ...(target !== undefined && { klTarget: target }) };
}
