/** The policy gradient against optima known by enumeration. */
import { describe, expect, it } from 'vitest';
import { allSequences, logProbabilities } from '../../test/helpers/enumerate.js';
import { randomModel, subjectOf, tinyConfigs } from '../../test/helpers/random-model.js';
import { Random } from '../core/random.js';
import { MemoryWeights } from '../engine/weights/weights.js';
import { Likelihood } from './importance.js';
import { firstLora, loraLayout, mergedWeights } from './lora.js';
import { loraOf, Policy } from './policy.js';
import type { GradientChoice } from './policy-gradient.js';

const positions = 4;
const banned = [0];
const { spec, arrays } = randomModel(
  {
    ...tinyConfigs.llama,
    vocab_size: 6,
    hidden_size: 16,
    intermediate_size: 32,
    num_attention_heads: 2,
    num_key_value_heads: 2,
    head_dim: 8,
    num_hidden_layers: 1,
  },
  3,
);
// A flatter prior: with one that is almost sure there is nothing to trade.
const weights = new MemoryWeights(
  new Map(
    arrays.map(([name, array]) => [
      name,
      name === 'lm_head.weight' ? { ...array, data: array.data.map((x) => 0.4 * x) } : array,
    ]),
  ),
);
const ids = allSequences(spec.vocab, banned, 0, positions);
const count = ids.length / positions;
const rowsOf = (flat: Int32Array) =>
  Array.from({ length: flat.length / positions }, (_, row) =>
    flat.subarray(row * positions, (row + 1) * positions),
  );
const numbers = new Map(rowsOf(ids).map((row, i) => [row.join(), i]));
// Any reward will do; this one has no structure that would make it easy.
const reward = new Random(5).normals(count);
const layout = loraLayout(spec, { rank: 16, alpha: 16, targets: ['all-linear'] });

const expectation = (logs: readonly number[], f: (sequence: number) => number) =>
  logs.reduce((sum, log, i) => sum + Math.exp(log) * f(i), 0);

/** Trains and gives the exact log-probabilities of all sequences. */
async function trained(beta: number, choice: Partial<GradientChoice>, steps: number): Promise<number[]> {
  const batch = 128;
  const policy = await Policy.create({
    subject: subjectOf({ spec, weights }, banned),
    lora: firstLora(layout, 1),
    positions,
    batch,
    gradient: { baseline: 'loo', kl: 'k1', scaled: false, ...choice },
    clipNorm: 1,
    weightDecay: 0,
  });
  for (let step = 0; step < steps; step++) {
    const drawn = await policy.sample(batch, Random.of(9, `step ${step}`));
    const rewards = Float32Array.from(rowsOf(drawn), (row) => reward[numbers.get(row.join())!]!);
    await policy.step(drawn, rewards, beta, 0.02 * (1 - step / steps));
  }
  const lora = loraOf(layout, await policy.snapshot());
  policy.dispose();
  return logProbabilities(spec, mergedWeights(weights, lora), banned, ids, positions);
}

describe('tuning reaches p(x) exp(r(x) / beta) / Z', async () => {
  const logP = await logProbabilities(spec, weights, banned, ids, positions);

  function optimum(beta: number): number[] {
    const logs = logP.map((log, i) => log + reward[i]! / beta);
    const logZ = Math.log(logs.reduce((sum, log) => sum + Math.exp(log), 0));
    return logs.map((log) => log - logZ);
  }
  const kl = (logs: readonly number[], other: readonly number[]) =>
    expectation(logs, (i) => logs[i]! - other[i]!);
  const meanReward = (logs: readonly number[]) => expectation(logs, (i) => reward[i]!);

  it.each([
    [2, 'loo'],
    [1.4, 'group'],
    [1, 'loo'],
  ] as const)(
    'beta %d, baseline %s',
    async (beta, baseline) => {
      const logQ = await trained(beta, { baseline }, 250);
      const best = optimum(beta);
      expect(kl(logQ, best)).toBeLessThan(0.05);
      // On the curve of reward against divergence that the optima of all beta draw.
      expect(kl(logQ, logP)).toBeCloseTo(kl(best, logP), 1);
      expect(meanReward(logQ)).toBeGreaterThan(meanReward(best) - 0.1);
      expect(meanReward(best) - meanReward(logP)).toBeGreaterThan(0.3);
    },
    120_000,
  );
});

it('importance weights are the exact ratios of probabilities', async () => {
  const lora = firstLora(layout, 1);
  const random = new Random(4);
  const adapted = {
    ...lora,
    arrays: new Map(
      [...lora.arrays].map(([name, { shape, data }]) => [
        name,
        { shape, data: data.map((x) => x + 0.3 * random.normal()) },
      ]),
    ),
  };
  const likelihood = await Likelihood.create({
    layout,
    subject: subjectOf({ spec, weights }, banned),
    positions,
    batch: 50,
  });
  const fed = new Map([...adapted.arrays].map(([name, { data }]) => [name, data]));
  const { logWeights } = await likelihood.of(ids, fed);
  likelihood.dispose();
  const logP = await logProbabilities(spec, weights, banned, ids, positions);
  const logQ = await logProbabilities(spec, mergedWeights(weights, adapted), banned, ids, positions);
  for (let i = 0; i < count; i++) expect(logWeights[i]!).toBeCloseTo(logP[i]! - logQ[i]!, 3);
  // Their mean under q is 1.
  expect(expectation(logQ, (i) => Math.exp(logWeights[i]!))).toBeCloseTo(1, 3);
});
