/**
 * @file Annealed importance sampling with resampling (Neal 2001; Del Moral, Doucet & Jasra 2006): samples of the
 * prior are carried up a ladder of betas, weighted at every rung and moved by the chains' proposals.
 */
import type { Random } from '../../core/random.js';
import { Chains, type ChainsOptions, randomMove } from './chains.js';
import { importanceWeights } from './importance.js';
import { effectiveSampleSize, logMeanExp, systematicResample } from './log-weights.js';
import { RESAMPLE_BELOW } from './smc.js';

/** Tokens of the longest infill. */
const LONGEST_INFILL = 4;

export interface AnnealingOptions extends Omit<ChainsOptions, 'rungs'> {
  /** Rounds of moves on each rung. */
  readonly moves: number;
  readonly random: Random;
}

/** The population after one rung. */
export interface Rung {
  readonly beta: number;
  /** ln of the estimate of Z at this beta. */
  readonly logZ: number;
  /** When it came here, before it was resampled. */
  readonly effectiveSampleSize: number;
  /** Share of moves that were made. */
  readonly acceptance: number;
  /** As in `importanceWeights`, `[rows]`. */
  readonly logWeights: Float64Array;
}

/**
 * Carries samples up the ladder.
 *
 * @param options.sequences - drawn from the prior or a proposal, one independent of the other
 * @yields after every rung; the chains hold the population
 */
export async function* annealed(
  options: AnnealingOptions,
): AsyncGenerator<{ rung: Rung; chains: Chains }, void, void> {
  const { sequences, ladder, moves, random, isText } = options;
  const chains = new Chains({ ...options, rungs: new Int32Array(sequences.rows) });
  try {
    let { logWeights } = importanceWeights(sequences, chains.rewards, 0, isText);
    let beta = 0;
    for (const [rung, next] of ladder.entries()) {
      logWeights = logWeights.map((weight, row) => weight + (next - beta) * chains.rewards[row]!);
      beta = next;
      chains.rungs.fill(rung);
      const logZ = logMeanExp(logWeights);
      const effective = effectiveSampleSize(logWeights);
      if (effective < RESAMPLE_BELOW * sequences.rows) {
        await chains.take(systematicResample(logWeights, random));
        logWeights.fill(logZ);
      }
      let accepted = 0;
      for (let i = 0; i < moves; i++) {
        const tried = await chains.move(randomMove(sequences.positions, LONGEST_INFILL, random), random);
        accepted += tried.accepted.reduce((sum, yes) => sum + yes, 0);
      }
      const acceptance = moves === 0 ? 0 : accepted / (moves * sequences.rows);
      yield { rung: { beta, logZ, effectiveSampleSize: effective, acceptance, logWeights }, chains };
    }
  } finally {
    chains.dispose();
  }
}
