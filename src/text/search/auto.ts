/**
 * @file The default: every operator and the samplers, each as often as it pays for this unit, one archive fed by all.
 * A bandit compares what they add to the fronts with what they cost: one over operators, and one over breeding and
 * sampling.
 */
import type { Arena } from './arena.js';
import { type Account, Bandit } from './bandit.js';
import { Breeding } from './breeding.js';
import { sampleUntil } from './evolve.js';
import { type OperatorName, operatorNames } from './operators.js';
import { sample } from './sample.js';

/** Share of the budget that goes into samples of the prior before the bandits decide. */
const PRIOR_SHARE = 0.05;
/** Turns that sampling gets at most: with half of them, breeding missed them more than it gained (bench/README.md). */
const MOST_SAMPLING = 0.2;

export async function* auto(arena: Arena): AsyncGenerator<void, void, void> {
  yield* sampleUntil(arena, PRIOR_SHARE);
  const breeding = new Breeding(arena);
  const operators = new Bandit<OperatorName>(operatorNames);
  const priorGain = arena.gains.get('prior') ?? 0;
  const breed = async () => {
    await breeding.generation(operators.shares());
    operators.learn((arm) => ({
      gain: (arena.gains.get(arm) ?? 0) - (arm === 'prior' ? priorGain : 0),
      cost: breeding.costs.get(arm) ?? 0,
    }));
  };
  const sampler = sample(arena);
  const turns = { breed, sample: () => sampler.next() };
  const totals: Record<keyof typeof turns, Account> = {
    breed: { gain: 0, cost: 0 },
    sample: { gain: 0, cost: 0 },
  };
  const bandit = new Bandit(['breed', 'sample'] as const);
  try {
    for (;;) {
      const kind =
        arena.options.random.uniform() < MOST_SAMPLING * bandit.shares().sample ? 'sample' : 'breed';
      const before = spentAndGained(arena);
      await turns[kind]();
      const after = spentAndGained(arena);
      totals[kind].gain += after.gain - before.gain;
      totals[kind].cost += after.cost - before.cost;
      bandit.learn((arm) => totals[arm]);
      yield;
    }
  } finally {
    await sampler.return();
  }
}

function spentAndGained(arena: Arena): Account {
  return { gain: [...arena.gains.values()].reduce((a, b) => a + b, 0), cost: arena.cost.tokenLayers };
}
