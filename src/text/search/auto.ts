/**
 * @file The default: every operator of evolution as often as it pays for this unit, and more than one beginning.
 *
 * A bandit starts from evolution's shares and moves them toward what adds most for what it costs. A population that
 * has stopped growing is set apart for a new one from fresh samples and triggers, and joined with it when that has
 * stopped too.
 */
import { z } from 'zod';
import type { Arena, Turns } from './arena.js';
import { Bandit, savedBandit } from './bandit.js';
import { Breeding, type Shares, savedBreeding } from './breeding.js';
import type { Candidate } from './candidate.js';
import { beginSampling, evolutionShares, sampleUntil, savedSampling } from './evolve.js';
import { Growth, savedGrowth } from './growth.js';
import { Population, savedPopulation } from './population.js';
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

const autoState = z.strictObject({
  breeding: savedBreeding,
  bandit: savedBandit,
  /** The budget that the search began with. */
  budget: z.number(),
  /** What samples gained before breeding: that was not the bandit's choice. */
  sampled: z.number(),
  /** What samples had gained, and what was spent, when this population began. */
  before: z.number(),
  begun: z.number(),
  sampling: savedSampling,
  /** How this population grew; null while it is sampled. */
  growth: savedGrowth.nullable(),
  /** The population before, until the two are joined. */
  earlier: savedPopulation.nullable(),
  /** What both took, when they have been joined. */
  taken: z.number().nullable(),
});

export async function* auto(arena: Arena): Turns {
  const { ledger } = arena;
  const saved = arena.method.resumed(autoState);
  const breeding = new Breeding<Candidate>(arena);
  const bandit = new Bandit(shares, TRUST, saved?.state.bandit);
  let earlier: Population | null = null;
  if (saved) {
    breeding.restore(saved.state.breeding, saved.candidateOf);
    if (saved.state.earlier) {
      earlier = new Population();
      earlier.restore(saved.state.earlier, saved.candidateOf);
    }
  }
  // A resumed search has spent some.
  const budget = saved?.state.budget ?? ledger.whole - ledger.used;
  let { sampled, before, begun, taken, sampling } = saved?.state ?? beginPopulation(arena);
  let growth = saved?.state.growth ? new Growth(saved.state.growth) : null;
  let isClimbing = false;
  arena.method.saves = (numberOf) => {
    if (isClimbing) return null;
    return {
      breeding: breeding.save(numberOf),
      bandit: bandit.save(),
      budget,
      sampled,
      before,
      begun,
      sampling,
      growth: growth?.save() ?? null,
      earlier: earlier?.save(numberOf) ?? null,
      taken,
    };
  };

  /**
   * Breeds until the population has stopped growing and there is time for another.
   *
   * @param needed - what another would take
   */
  async function* grow(growth: Growth, needed: () => number): Turns {
    while (!growth.hasStopped || ledger.used + needed() > ledger.whole) {
      await breeding.generation(bandit.shares());
      bandit.learn((arm) => ({
        gain: (arena.gains.get(arm) ?? 0) - (arm === 'prior' ? sampled : 0),
        cost: breeding.costs.get(arm) ?? 0,
      }));
      growth.add(ledger.used, arena.population.area);
      yield;
    }
  }

  const triggers = await TriggerFinder.create(arena);
  try {
    for (;;) {
      if (growth === null) {
        yield* sampleUntil(arena, sampling, PRIOR_SHARE, PRIOR_SAMPLES);
        sampled += (arena.gains.get('prior') ?? 0) - before;
        isClimbing = true;
        breeding.triggers = yield* triggers.find(TRIGGER_SHARE * (budget / ledger.whole));
        isClimbing = false;
        growth = new Growth();
      }
      if (taken === null) {
        yield* grow(growth, () => ledger.used - begun);
        if (earlier) {
          taken = ledger.used - begun;
          arena.population.join(earlier);
          growth = new Growth();
        }
      }
      if (taken !== null) yield* grow(growth, () => taken!);
      earlier = arena.startAnew();
      ({ before, begun, taken, sampling } = beginPopulation(arena));
      growth = null;
    }
  } finally {
    await triggers.dispose();
  }
}

const beginPopulation = (arena: Arena) => ({
  sampled: 0,
  before: arena.gains.get('prior') ?? 0,
  begun: arena.ledger.used,
  taken: null as number | null,
  sampling: beginSampling(arena),
});
