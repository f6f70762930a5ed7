/**
 * @file Evolution: a population of two fronts, so that every level of fluency keeps its own best text (quality-diversity),
 * and of niches, which keep other ways to excite the unit.
 */
import type { Arena, Turns } from './arena.js';
import { Breeding, type Shares } from './breeding.js';

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

export async function* evolve(arena: Arena): Turns {
  yield* sampleUntil(arena, PRIOR_SHARE);
  const breeding = new Breeding(arena);
  for (;;) {
    await breeding.generation(evolutionShares);
    yield;
  }
}

/** Samples of the prior for a share of the budget, not more than `most`, and at least until there is one to breed from. */
export async function* sampleUntil(arena: Arena, share: number, most = Number.POSITIVE_INFINITY): Turns {
  const { turn } = arena.options;
  const [spent, evaluations] = [arena.ledger.spent, arena.ledger.evaluations];
  const isEmpty = () => arena.population.strongest.members.length === 0;
  // A resumed search has parents.
  const begins = isEmpty();
  do {
    await arena.evaluate(await arena.samplePrior(turn), Array(turn).fill('prior'));
    yield;
  } while (
    (begins && arena.ledger.spent - spent < share && arena.ledger.evaluations - evaluations < most) ||
    isEmpty()
  );
}
