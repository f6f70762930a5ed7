/**
 * @file The default: every operator there is, each as often as it pays for this unit. A bandit compares what their
 * candidates add to the fronts with what they cost.
 */
import type { Arena } from './arena.js';
import { Bandit } from './bandit.js';
import { Breeding } from './breeding.js';
import { sampleUntil } from './evolve.js';
import { type OperatorName, operatorNames } from './operators.js';

/** Share of the budget that goes into samples of the prior before the bandit decides. */
const PRIOR_SHARE = 0.05;

export async function* auto(arena: Arena): AsyncGenerator<void, void, void> {
  yield* sampleUntil(arena, PRIOR_SHARE);
  const breeding = new Breeding(arena);
  const bandit = new Bandit<OperatorName>(operatorNames);
  const gainsBefore = new Map(arena.gains);
  for (;;) {
    await breeding.generation(bandit.shares());
    bandit.learn((arm) => ({
      gain: (arena.gains.get(arm) ?? 0) - (gainsBefore.get(arm) ?? 0),
      cost: breeding.costs.get(arm) ?? 0,
    }));
    yield;
  }
}
