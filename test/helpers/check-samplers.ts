/** @file Samplers of sigma against its enumeration, whatever the model: the assertions of two tests. */
import { expect } from 'vitest';
import { Random } from '../../src/engine/random.js';
import { annealed } from '../../src/text/sampling/annealing.js';
import { Chains, randomMove } from '../../src/text/sampling/chains.js';
import type { Decoder } from '../../src/text/sampling/decoder.js';
import {
  type Estimate,
  estimateLogZ,
  estimateMean,
  type RunEstimate,
  runEstimate,
} from '../../src/text/sampling/estimate.js';
import { importanceWeights } from '../../src/text/sampling/importance.js';
import type { PrefixReward } from '../../src/text/sampling/prefix-reward.js';
import { idsOf, type Sequences } from '../../src/text/sampling/sequences.js';
import { sequentialMonteCarlo } from '../../src/text/sampling/smc.js';
import { type Enumerated, type Exact, exactTarget } from './exact-sampling.js';

export interface SamplerCase {
  readonly decoder: Decoder;
  readonly reward: PrefixReward;
  readonly start: number;
  readonly all: Enumerated;
  readonly betas: readonly number[];
}

/** Standard errors that an estimate may be off: once in 16,000 by chance, and the seeds are fixed. */
const LIMIT = 4;

function expectNear({ value, standardError }: Estimate, exact: number, what: string, slack = 1e-4): void {
  if (process.env.SHOW) console.log(what, value.toFixed(4), standardError.toFixed(4), exact.toFixed(4));
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
  const { decoder, reward, betas, start, all } = test;
  const random = new Random(11);
  const exact = betas.map((beta) => exactTarget(all, beta));
  const runs: RunEstimate[][] = betas.map(() => []);
  let resamplings = 0;
  for (let i = 0; i < count; i++) {
    const particles = await sequentialMonteCarlo({ decoder, reward, betas, start, random });
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
  expect(resamplings).toBeGreaterThan(0);
  for (const [k, beta] of betas.entries()) checkRuns(runs[k]!, exact[k]!, `SMC at beta ${beta}`);
}

/** Prior samples weighted at every beta. */
export async function checkImportance(test: SamplerCase, count: number): Promise<void> {
  const { betas, all } = test;
  const random = new Random(12);
  const exact = betas.map((beta) => exactTarget(all, beta));
  const runs: RunEstimate[][] = betas.map(() => []);
  for (let i = 0; i < count; i++) {
    const { sequences, rewards } = await priorDraws(test, random);
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
    const { sequences, standing } = await priorDraws(test, random);
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
 * Chains on the ladder with exchanges, from the prior. A chain's mean over the kept rounds on a rung is a run of its
 * own: chains do not see each other but for exchanges, so batches of whole rounds are what errors are taken over.
 */
export async function checkChains(test: SamplerCase, burnIn: number, rounds: number): Promise<void> {
  const { decoder, reward, betas: ladder, all } = test;
  const random = new Random(14);
  const exact = ladder.map((beta) => exactTarget(all, beta));
  const { sequences, standing } = await priorDraws(test, random);
  const rungs = Int32Array.from({ length: sequences.rows }, (_, row) => row % ladder.length);
  const chains = new Chains({ decoder, reward, sequences, standing, ladder, rungs });
  const samples: number[][][] = ladder.map(() => []); // [rung][round][value]
  let exchanged = 0;
  for (let round = 0; round < burnIn + rounds; round++) {
    await chains.move(randomMove(all.positions, 2, random), random);
    exchanged += chains.exchange(random);
    if (round < burnIn) continue;
    for (let rung = 0; rung < ladder.length; rung++) {
      const rows = Array.from(chains.rungs.keys()).filter((row) => chains.rungs[row] === rung);
      const values = valuesOf(chains.sequences, chains.rewards, exact[rung]!);
      samples[rung]!.push(values.map((value) => rows.reduce((sum, row) => sum + value[row]!, 0) / rows.length));
    }
  }
  chains.dispose();
  expect(exchanged).toBeGreaterThan(0);
  for (const [k, beta] of ladder.entries()) {
    const batches = batchMeans(samples[k]!, 10).map((means) => ({ logZ: 0, means }));
    checkMeans(batches, exact[k]!, `chains at beta ${beta}`);
  }
}

/** Means over `count` stretches of rounds: long enough to be nearly independent. */
function batchMeans(rounds: readonly number[][], count: number): number[][] {
  const size = Math.floor(rounds.length / count);
  return Array.from({ length: count }, (_, i) => {
    const part = rounds.slice(i * size, (i + 1) * size);
    return part[0]!.map((_, value) => part.reduce((sum, means) => sum + means[value]!, 0) / part.length);
  });
}

async function priorDraws({ decoder, reward, start }: SamplerCase, random: Random) {
  return sequentialMonteCarlo({ decoder, reward, betas: [0], start, random });
}
