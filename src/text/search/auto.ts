/**
 * @file The default: every operator of evolution as often as it pays for this unit. A bandit starts from evolution's
 * shares and moves them toward what adds most to the fronts for what it costs.
 */
import type { Arena } from './arena.js';
import { Bandit } from './bandit.js';
import { Breeding } from './breeding.js';
import { evolutionShares, sampleUntil } from './evolve.js';

/** Share of the budget that goes into samples of the prior before the bandit decides. */
const PRIOR_SHARE = 0.1;
/** Cost, in children, of what an operator must have made before it is believed to differ from the average. */
const TRUST = 64;

export async function* auto(arena: Arena): AsyncGenerator<void, void, void> {
  yield* sampleUntil(arena, PRIOR_SHARE);
  const breeding = new Breeding(arena);
  const bandit = new Bandit(evolutionShares, TRUST);
  const first = arena.gains.get('prior') ?? 0;
  for (;;) {
    await breeding.generation(bandit.shares());
    bandit.learn((arm) => ({
      gain: (arena.gains.get(arm) ?? 0) - (arm === 'prior' ? first : 0),
      cost: breeding.costs.get(arm) ?? 0,
    }));
    yield;
  }
}
