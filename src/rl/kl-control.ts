/**
 * @file Beta, the price of a nat: fixed, or steered so that the divergence stays near a target (the proportional
 * controller of Ziegler et al., arXiv 1909.08593).
 */

/** Largest relative change of beta in a step. */
const FASTEST = 0.05;

/** A first, low beta lets the policy move; it rises as the target comes near. */
export function nextBeta(beta: number, kl: number, target: number | undefined): number {
  if (target === undefined) return beta;
  const error = Math.min(1, Math.max(-1, kl / target - 1));
  return beta * (1 + FASTEST * error);
}
