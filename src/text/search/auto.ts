/**
 * @file The default: every operator of evolution as often as it pays for this unit, and more than one beginning.
 *
 * A bandit starts from evolution's shares and moves them toward what adds most for what it costs. A population that
 * has stopped growing is set apart for a new one from fresh samples and triggers, and joined with it when that has
 * stopped too.
 */
import type { Arena, Turns } from './arena.js';
import { Bandit } from './bandit.js';
import { Breeding, type Shares } from './breeding.js';
import { evolutionShares, sampleUntil } from './evolve.js';
import { Growth } from './growth.js';
import type { Population } from './population.js';
import { TriggerFinder } from './triggers.js';

/** Largest share of the budget for samples of the prior before breeding starts, and their largest number. */
const PRIOR_SHARE = 0.1;
const PRIOR_SAMPLES = 1024;
/** And at most so much, for each population, into triggers. */
const TRIGGER_SHARE = 0.15;
/** Cost, in children, of what an operator must have made before it is believed to differ from the average. */
const TRUST = 64;

/** How often each operator is used while nothing is known. */
const shares = { ...evolutionShares, graft: 1.5 } as const satisfies Shares;

export async function* auto(arena: Arena): Turns {
  const breeding = new Breeding(arena);
  const triggers = await TriggerFinder.create(arena);
  const bandit = new Bandit(shares, TRUST);
  /** What samples gained before breeding: that was not its choice. */
  let sampled = 0;
  // A resumed search has spent some.
  const budget = 1 - arena.ledger.spent;

  /**
   * Breeds until the population has stopped growing and there is time for another.
   *
   * @param needed - share of the budget that another would take
   */
  async function* grow(needed: () => number): Turns {
    const growth = new Growth();
    while (!growth.hasStopped || arena.ledger.spent + needed() > 1) {
      await breeding.generation(bandit.shares());
      bandit.learn((arm) => ({
        gain: (arena.gains.get(arm) ?? 0) - (arm === 'prior' ? sampled : 0),
        cost: breeding.costs.get(arm) ?? 0,
      }));
      yield;
      growth.add(arena.ledger.spent, arena.population.area);
    }
  }

  try {
    for (let earlier: Population | null = null; ; ) {
      const begun = arena.ledger.spent;
      const before = arena.gains.get('prior') ?? 0;
      yield* sampleUntil(arena, PRIOR_SHARE, PRIOR_SAMPLES);
      sampled += (arena.gains.get('prior') ?? 0) - before;
      breeding.triggers = yield* triggers.find(TRIGGER_SHARE * budget);
      yield* grow(() => arena.ledger.spent - begun);
      const taken = arena.ledger.spent - begun;
      if (earlier) {
        arena.population.join(earlier);
        yield* grow(() => taken);
      }
      earlier = arena.startAnew();
    }
  } finally {
    await triggers.dispose();
  }
}
