/**
 * @file The policy gradient as tensor functions: returns, baselines, divergences from the frozen prior.
 *
 * What is maximized is E_q[r(x)] - beta KL(q || p), q the policy and p the frozen prior; the maximum is at
 * q(x) = p(x) exp(r(x) / beta) / Z. Axes: batch, token (the positions after BOS).
 */
import { detach } from '../engine/functions/ops.js';
import * as tf from '../engine/functions/tfjs.js';
import type { klEstimatorNames } from './tune-defaults.js';

/** `loo`: the mean of the others (RLOO, Ahmadian et al., arXiv 2402.14740). `group`: the mean of all (GRPO). */
export const baselines = ['loo', 'group'] as const;
export type Baseline = (typeof baselines)[number];

/**
 * How the divergence enters the gradient (names of Schulman 2020, joschu.net/blog/kl-approx.html).
 *
 * - `k1`: ln q/p of each token is taken off the reward. Its gradient is that of KL(q || p), exactly.
 * - `k3`: p/q - 1 - ln p/q of each token is added to the loss, as in GRPO (Shao et al., arXiv 2402.03300). Never
 *   negative and of low variance, but its gradient is that of KL(p || q) at the prefixes drawn: another optimum.
 */
export type KlEstimator = (typeof klEstimatorNames)[number];

export interface GradientChoice {
  readonly baseline: Baseline;
  readonly kl: KlEstimator;
  /** Advantages divided by their standard deviation, as GRPO was published; it makes beta drift with the spread. */
  readonly scaled: boolean;
}

/** ln q - ln p of each token: sums to an unbiased estimate of the KL of a sequence. */
export const k1 = (logQ: tf.Tensor, logP: tf.Tensor) => tf.sub(logQ, logP);

/** p/q - 1 - ln p/q of each token: unbiased too, and never negative. */
export function k3(logQ: tf.Tensor, logP: tf.Tensor): tf.Tensor {
  const difference = tf.sub(logP, logQ);
  return tf.sub(tf.sub(tf.exp(difference), 1), difference);
}

/**
 * How much better each token did than others in its place. A token answers for the reward and for the divergence
 * of what follows it, its own included; what came before it is not its doing.
 *
 * @param reward - `[batch]`
 * @param penalty - `[batch, token]`, what each token costs
 * @returns `[batch, token]`
 */
export function advantages(
  reward: tf.Tensor,
  penalty: tf.Tensor,
  { baseline, scaled }: Pick<GradientChoice, 'baseline' | 'scaled'>,
): tf.Tensor {
  const batch = reward.shape[0]!;
  const ahead = tf.cumsum(penalty, 1, false, true);
  const returns = tf.sub(tf.reshape(reward, [batch, 1]), ahead);
  const centred = tf.sub(returns, tf.mean(returns, 0, true));
  if (scaled) return tf.div(centred, tf.add(tf.sqrt(tf.mean(tf.square(centred), 0, true)), 1e-4));
  // x_i - mean of the others = (x_i - mean of all) n / (n - 1).
  return baseline === 'loo' ? tf.mul(centred, batch / (batch - 1)) : centred;
}

export interface PolicyLoss {
  /** Its gradient is the policy gradient; its value means nothing. */
  readonly loss: tf.Scalar;
  /** Standard deviation and largest size of the advantages, scalars. */
  readonly advantageDeviation: tf.Tensor;
  readonly advantageLargest: tf.Tensor;
}

/**
 * The loss of sequences drawn from the policy as it is.
 *
 * @param logQ - ln q of each token drawn, `[batch, token]`, with its gradient
 * @param logP - ln p of the same, `[batch, token]`
 * @param reward - `[batch]`
 * @param beta - a scalar, reward a nat
 */
export function policyLoss(
  logQ: tf.Tensor,
  logP: tf.Tensor,
  reward: tf.Tensor,
  beta: tf.Tensor,
  choice: GradientChoice,
): PolicyLoss {
  const batch = reward.shape[0]!;
  const still = detach(logQ);
  const penalty = choice.kl === 'k1' ? tf.mul(k1(still, logP), beta) : tf.zerosLike(still);
  const advantage = advantages(reward, penalty, choice);
  const gain = tf.neg(tf.sum(tf.mul(advantage, logQ)));
  const loss = choice.kl === 'k3' ? tf.add(gain, tf.mul(tf.sum(k3(logQ, logP)), beta)) : gain;
  return {
    loss: tf.div(loss, batch),
    advantageDeviation: tf.sqrt(tf.mean(tf.square(advantage))),
    advantageLargest: tf.max(tf.abs(advantage)),
  };
}
