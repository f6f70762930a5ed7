/** @file Samplers of sigma against its enumeration, whatever the model: the assertions of two tests. */
import { expect } from 'vitest';
import { Random } from '../../src/core/random.js';
import { annealed } from '../../src/text/sampling/annealing.js';
import { Chains, randomMove } from '../../src/text/sampling/chains.js';
import type { Decoder } from '../../src/text/sampling/decoder.js';
import { importanceWeights } from '../../src/text/sampling/importance.js';
import type { PrefixReward } from '../../src/text/sampling/prefix-reward.js';
import { idsOf, type Sequences } from '../../src/text/sampling/sequences.js';
import { sequentialMonteCarlo } from '../../src/text/sampling/smc.js';
import { type Estimate, estimateLogZ, estimateMean, type RunEstimate, runEstimate } from './estimate.js';
import { type Enumerated, type Exact, exactTarget } from './exact-sampling.js';

export interface SamplerCase {
  readonly decoder: Decoder;
  readonly reward: PrefixReward;
  readonly all: Enumerated;
  readonly betas: readonly number[];
}

/** Standard errors that an estimate may be off: once in 16,000 by chance, and the seeds are fixed. */
const LIMIT = 4;

function expectNear({ value, standardError }: Estimate, exact: number, what: string, slack = 1e-4): void {
  const off = Math.abs(value - exact);
  const message = `${what}: ${value} +- ${standardError}, exactly ${exact}`;
  expect(off, message).toBeLessThan(LIMIT * standardError + slack);
}

/** One where a row is a given sequence. */
const indicator = (sequences: Sequences, ids: string) =>
  Float64Array.from({ length: sequences.rows }, (_, row) => Number(idsOf(sequences, row).join() === ids));

const valuesOf = (sequences: Sequences, rewards: ArrayLike<number>, { top }: Exact) => [
  rewards,
  ...top.map(({ ids }) => indicator(sequences, ids)),
];

function checkRuns(runs: readonly RunEstimate[], exact: Exact, what: string): void {
  expectNear(estimateLogZ(runs), exact.logZ, `${what}, log Z`);
  checkMeans(runs, exact, what);
}

function checkMeans(runs: readonly RunEstimate[], exact: Exact, what: string): void {
  expectNear(estimateMean(runs, 0), exact.meanReward, `${what}, mean reward`);
  for (const [i, { ids, probability }] of exact.top.entries())
    expectNear(estimateMean(runs, i + 1), probability, `${what}, sigma(${ids})`);
}

const slice = ({ rows: _, ...s }: Sequences, from: number, end: number): Sequences => ({
  ...s,
  rows: end - from,
  ids: s.ids.subarray(from * s.positions, end * s.positions),
});

/** Every beta is an island; runs are independent. */
export async function checkSequentialMonteCarlo(test: SamplerCase, count: number): Promise<void> {
  const { decoder, reward, betas, all } = test;
  const random = new Random(11);
  const exact = betas.map((beta) => exactTarget(all, beta));
  const runs: RunEstimate[][] = betas.map(() => []);
  let resamplings = 0;
  for (let i = 0; i < count; i++) {
    const particles = await sequentialMonteCarlo({ decoder, reward, betas, random });
    decoder.release(particles.standing);
    for (const [k, { from, end, logZ, ...island }] of particles.islands.entries()) {
      const own = slice(particles.sequences, from, end);
      const values = valuesOf(own, particles.rewards.subarray(from, end), exact[k]!);
      const run = runEstimate(particles.logWeights.subarray(from, end), ...values);
      expect(run.logZ).toBeCloseTo(logZ, 10);
      runs[k]!.push(run);
      resamplings += island.resamplings;
    }
  }
  // Texts of two tokens end before weights have spread.
  if (all.positions > 3) expect(resamplings).toBeGreaterThan(0);
  for (const [k, beta] of betas.entries()) checkRuns(runs[k]!, exact[k]!, `SMC at beta ${beta}`);
}

/** Independent draws weighted at every beta. */
export async function checkImportance(test: SamplerCase, count: number): Promise<void> {
  const { betas, all } = test;
  const random = new Random(12);
  const exact = betas.map((beta) => exactTarget(all, beta));
  const runs: RunEstimate[][] = betas.map(() => []);
  for (let i = 0; i < count; i++) {
    const { sequences, rewards } = await draws(test, random);
    for (const [k, beta] of betas.entries()) {
      const { logWeights } = importanceWeights(sequences, rewards, beta);
      runs[k]!.push(runEstimate(logWeights, ...valuesOf(sequences, rewards, exact[k]!)));
    }
  }
  for (const [k, beta] of betas.entries()) checkRuns(runs[k]!, exact[k]!, `importance at beta ${beta}`);
}

/** The ladder from the prior up, with moves on every rung. */
export async function checkAnnealing(test: SamplerCase, count: number): Promise<void> {
  const { decoder, reward, betas: ladder, all } = test;
  const random = new Random(13);
  const exact = ladder.map((beta) => exactTarget(all, beta));
  const runs: RunEstimate[][] = ladder.map(() => []);
  for (let i = 0; i < count; i++) {
    const { sequences, standing } = await draws(test, random);
    let rung = 0;
    for await (const at of annealed({ decoder, reward, sequences, standing, ladder, moves: 2, random })) {
      const { sequences: now, rewards } = at.chains;
      runs[rung]!.push(runEstimate(at.rung.logWeights, ...valuesOf(now, rewards, exact[rung]!)));
      expect(at.rung.acceptance).toBeGreaterThan(0.05);
      rung++;
    }
  }
  for (const [k, beta] of ladder.entries()) checkRuns(runs[k]!, exact[k]!, `annealing at beta ${beta}`);
}

/**
 * Chains that start as independent draws of the enumerated sigma, on every rung of a ladder: after rounds of moves
 * and exchanges they must still be that, to the error of so many independent draws.
 */
export async function checkChains(test: SamplerCase, runs: number, rounds: number): Promise<void> {
  const { decoder, reward, betas: ladder, all } = test;
  const random = new Random(14);
  const { batch, positions } = decoder.options;
  const exact = ladder.map((beta) => exactTarget(all, beta));
  const rungs = Int32Array.from({ length: batch }, (_, row) => row % ladder.length);
  const values: number[][][] = ladder.map(() => []); // [rung][chain][value]
  let [accepted, exchanged, moved] = [0, 0, 0];
  for (let run = 0; run < runs; run++) {
    const ids = new Int32Array(batch * positions);
    for (const [row, rung] of rungs.entries()) ids.set(drawExact(all, exact[rung]!, random), row * positions);
    const { sequences, standing } = await decoder.readAll(ids);
    const chains = new Chains({ decoder, reward, sequences, standing, ladder, rungs });
    for (let round = 0; round < rounds; round++) {
      const tried = await chains.move(randomMove(positions, 2, random), random);
      accepted += tried.accepted.reduce((sum, yes) => sum + yes, 0);
      exchanged += chains.exchange(random);
    }
    const now = ladder.map((_, rung) => valuesOf(chains.sequences, chains.rewards, exact[rung]!));
    for (const [row, rung] of chains.rungs.entries())
      values[rung]!.push(now[rung]!.map((value) => value[row]!));
    moved += changedRows(sequences, chains.sequences);
    chains.dispose();
  }
  expect(exchanged).toBeGreaterThan(0);
  expect(accepted / (runs * rounds * batch)).toBeGreaterThan(0.1);
  expect(moved / (runs * batch)).toBeGreaterThan(0.3);
  for (const [k, beta] of ladder.entries())
    checkMeans(
      values[k]!.map((means) => ({ logZ: 0, means })),
      exact[k]!,
      `chains at beta ${beta}`,
    );
}

/** A sequence drawn from the enumeration, with its BOS. */
function drawExact({ positions, ids }: Enumerated, { sigma }: Exact, random: Random): Int32Array {
  const row = random.weighted(sigma);
  return ids.subarray(row * positions, (row + 1) * positions);
}

function changedRows(before: Sequences, after: Sequences): number {
  return Array.from({ length: before.rows }, (_, row) =>
    Number(idsOf(before, row).join() !== idsOf(after, row).join()),
  ).reduce((a, b) => a + b, 0);
}

async function draws({ decoder, reward }: SamplerCase, random: Random) {
  const { sequences, standing } = await decoder.drawAll(random);
  return { sequences, standing, rewards: reward.ofAll(sequences) };
}
