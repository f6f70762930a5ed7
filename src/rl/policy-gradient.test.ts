import { describe, expect, it } from 'vitest';
import { runOn } from '../../test/helpers/engines.js';
import { Random } from '../core/random.js';
import * as tf from '../engine/functions/tfjs.js';
import { advantages, type GradientChoice, k1, k3, policyLoss } from './policy-gradient.js';

const choice = (changes: Partial<GradientChoice> = {}): GradientChoice => ({
  baseline: 'loo',
  kl: 'k1',
  scaled: false,
  ...changes,
});

describe('advantages', () => {
  const reward = [3, -1, 0.5, 2];
  const penalty = [
    [0.1, 0.2],
    [0, -0.4],
    [0.3, 0],
    [0.5, 0.25],
  ];
  /** What follows a token, its own penalty included, off the reward. */
  const returns = reward.map((r, row) => [r - penalty[row]![0]! - penalty[row]![1]!, r - penalty[row]![1]!]);

  async function computed(settings: Partial<GradientChoice>): Promise<number[]> {
    const inputs = {
      reward: { shape: [4], data: Float32Array.from(reward) },
      penalty: { shape: [4, 2], data: Float32Array.from(penalty.flat()) },
    };
    const fn = ({ reward, penalty }: Record<string, tf.Tensor>) => ({
      result: advantages(reward!, penalty!, choice(settings)),
    });
    return [...(await runOn('onnx', fn, inputs)).result!.data];
  }

  it('leave one out: less the mean return of the others at the same token', async () => {
    const expected = returns.flatMap((row, i) =>
      row.map((value, token) => {
        const others = returns.filter((_, other) => other !== i);
        return value - others.reduce((sum, other) => sum + other[token]!, 0) / 3;
      }),
    );
    for (const [i, value] of (await computed({})).entries()) expect(value).toBeCloseTo(expected[i]!, 5);
  });

  it('group: less the mean of all, divided by the deviation only when asked', async () => {
    const columns = [0, 1].map((token) => returns.map((row) => row[token]!));
    const means = columns.map((column) => column.reduce((sum, x) => sum + x, 0) / 4);
    const deviations = columns.map((column, token) =>
      Math.sqrt(column.reduce((sum, x) => sum + (x - means[token]!) ** 2, 0) / 4),
    );
    const plain = await computed({ baseline: 'group' });
    const scaled = await computed({ baseline: 'group', scaled: true });
    for (const [i, value] of returns.flat().entries()) {
      const centred = value - means[i % 2]!;
      expect(plain[i]!).toBeCloseTo(centred, 5);
      expect(scaled[i]!).toBeCloseTo(centred / (deviations[i % 2]! + 1e-4), 4);
    }
  });
});

describe('estimators of the divergence', () => {
  // Two distributions over five tokens; expectations are sums.
  const random = new Random(3);
  const distribution = () => {
    const weights = Array.from({ length: 5 }, () => Math.exp(random.normal()));
    const total = weights.reduce((sum, x) => sum + x, 0);
    return weights.map((x) => x / total);
  };
  const [p, q] = [distribution(), distribution()];
  const kl = (a: number[], b: number[]) => a.reduce((sum, x, i) => sum + x * Math.log(x / b[i]!), 0);
  const logs = (values: number[]) => tf.tensor1d(values.map(Math.log));

  it('both have KL(q || p) as their mean; k3 is never negative', async () => {
    const inputs = {
      p: { shape: [5], data: Float32Array.from(p) },
      q: { shape: [5], data: Float32Array.from(q) },
    };
    const { first, third } = await runOn(
      'onnx',
      ({ p, q }) => ({ first: k1(tf.log(q!), tf.log(p!)), third: k3(tf.log(q!), tf.log(p!)) }),
      inputs,
    );
    const mean = (values: ArrayLike<number>) => q.reduce((sum, x, i) => sum + x * values[i]!, 0);
    expect(mean(first!.data)).toBeCloseTo(kl(q, p), 5);
    expect(mean(third!.data)).toBeCloseTo(kl(q, p), 5);
    expect(Math.min(...third!.data)).toBeGreaterThanOrEqual(0);
  });

  /**
   * The exact expected gradient over logits of one-token sequences: every token is a sample with its probability as
   * weight, so that the loss's own baseline (over samples) plays no part.
   */
  async function expectedGradient(estimator: 'k1' | 'k3', reward: number[], beta: number): Promise<number[]> {
    const fn = ({ logits }: Record<string, tf.Tensor>) => {
      // A batch of all pairs of tokens; leave-one-out needs two samples.
      const loss = (x: tf.Tensor) => {
        const logQ = tf.logSoftmax(x as tf.Tensor1D);
        const terms = reward.flatMap((_, i) =>
          reward.map((_, j) => {
            const pair = tf.reshape(tf.gather(logQ, tf.tensor1d([i, j], 'int32')), [2, 1]);
            const prior = tf.reshape(tf.gather(logs(p), tf.tensor1d([i, j], 'int32')), [2, 1]);
            const rewards = tf.tensor1d([reward[i]!, reward[j]!]);
            const { loss } = policyLoss(pair, prior, rewards, tf.scalar(beta), choice({ kl: estimator }));
            return tf.mul(loss, q[i]! * q[j]!);
          }),
        );
        return tf.addN(terms) as tf.Scalar;
      };
      return { gradient: tf.grad(loss)(logits!) };
    };
    const logits = { shape: [5], data: Float32Array.from(q.map(Math.log)) };
    return [...(await runOn('cpu', fn, { logits })).gradient!.data];
  }

  /** Gradient of f at the logits of q, by central differences. */
  const differences = (f: (distribution: number[]) => number) =>
    q.map((_, k) => {
      const shifted = (by: number) => {
        const weights = q.map((x, i) => x * Math.exp(i === k ? by : 0));
        const total = weights.reduce((sum, x) => sum + x, 0);
        return f(weights.map((x) => x / total));
      };
      return (shifted(1e-4) - shifted(-1e-4)) / 2e-4;
    });

  it('k1: the mean gradient is that of beta KL(q || p) - E[r], baseline and all', async () => {
    const reward = [1, -0.5, 2, 0, 0.3];
    const exact = differences((d) => 0.7 * kl(d, p) - d.reduce((sum, x, i) => sum + x * reward[i]!, 0));
    const mean = await expectedGradient('k1', reward, 0.7);
    for (const [k, value] of mean.entries()) expect(value).toBeCloseTo(exact[k]!, 4);
  });

  it('k3: the divergence pulls as KL(p || q) does', async () => {
    const exact = differences((d) => 0.7 * kl(p, d));
    const mean = await expectedGradient('k3', [0, 0, 0, 0, 0], 0.7);
    for (const [k, value] of mean.entries()) expect(value).toBeCloseTo(exact[k]!, 4);
  });
});
