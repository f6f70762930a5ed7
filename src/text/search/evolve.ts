/**
 * @file Evolution: a population of two fronts, so that every level of fluency keeps its own best text (quality-diversity),
 * and of niches, which keep other ways to excite the unit.
 */
import { z } from 'zod';
import type { Arena, Turns } from './arena.js';
import { Breeding, type Shares, savedBreeding } from './breeding.js';
import type { Candidate } from './candidate.js';

/** Share of the budget that goes into samples of the prior before evolution starts. */
const PRIOR_SHARE = 0.1;

/** How often each operator is used. */
export const evolutionShares = {
  prior: 0.5,
  swap: 1,
  gradient: 3,
  mutate: 0.75,
  regenerate: 1,
  infill: 0.5,
  suffix: 1.5,
  tail: 2,
  remove: 2,
  insert: 1,
  cross: 0.5,
  transplant: 1.5,
} as const satisfies Shares;

/** Where samples of the prior stand: what had been spent before them, and the turns since. */
export const savedSampling = z.object({
  used: z.number(),
  evaluations: z.number(),
  /** Whether there was nothing to breed from. */
  begins: z.boolean(),
  turns: z.number(),
});
type Sampling = z.output<typeof savedSampling>;

const evolveState = z.strictObject({ sampling: savedSampling, breeding: savedBreeding });

export async function* evolve(arena: Arena): Turns {
  const saved = arena.method.resumed(evolveState);
  const sampling = saved?.state.sampling ?? beginSampling(arena);
  const breeding = new Breeding<Candidate>(arena);
  if (saved) breeding.restore(saved.state.breeding, saved.candidateOf);
  arena.method.saves = (numberOf) => ({ sampling, breeding: breeding.save(numberOf) });
  yield* sampleUntil(arena, sampling, PRIOR_SHARE);
  for (;;) {
    await breeding.generation(evolutionShares);
    yield;
  }
}

const isEmpty = ({ population }: Arena) => population.strongest.members.length === 0;

export function beginSampling(arena: Arena): Sampling {
  const { used, evaluations } = arena.ledger;
  // A resumed search has parents.
  return { used, evaluations, begins: isEmpty(arena), turns: 0 };
}

/** Samples of the prior for a share of the budget, not more than `most`, and at least until there is one to breed from. */
export async function* sampleUntil(
  arena: Arena,
  sampling: Sampling,
  share: number,
  most = Number.POSITIVE_INFINITY,
): Turns {
  const { options, ledger } = arena;
  const { used, evaluations, begins } = sampling;
  const wantsMore = () =>
    begins && ledger.used - used < share * ledger.whole && ledger.evaluations - evaluations < most;
  while (sampling.turns === 0 || wantsMore() || isEmpty(arena)) {
    await arena.evaluatePrior(options.turn);
    sampling.turns++;
    yield;
  }
}
