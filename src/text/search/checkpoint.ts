/**
 * @file Where a search stands at the end of a turn, as data. A search whose budget is counted in evaluations goes on from
 * there as if it had not been stopped: random numbers, frontier, population and what the method has learned are all there.
 */
import { z } from 'zod';
import { Random } from '../../core/random.js';
import type { Arena } from './arena.js';
import { savedErrors } from './error-moments.js';
import { CandidateShelf, candidatesOf, savedCandidate } from './method-state.js';
import { savedPopulation } from './population.js';

const count = z.int().min(0);

/** `checkpoint.json` of a search's run folder. */
export const searchCheckpoint = z.strictObject({
  version: z.literal(1),
  budget: z.union([z.strictObject({ seconds: z.number() }), z.strictObject({ evaluations: z.number() })]),
  evaluations: count,
  token_layers: count,
  lost: count,
  random: z.array(count).length(4),
  /** All that others refer to by number. */
  candidates: z.array(savedCandidate),
  frontier: z.array(count),
  population: savedPopulation,
  /** By operator. */
  gains: z.record(z.string(), z.number()),
  /** Hashes of the rows that were seen (`seen.ts`). */
  seen: z.base64(),
  /** What was learned of rough scores. */
  errors: savedErrors,
  /** What the method says of itself; null = it begins. */
  state: z.json(),
});
export type SearchCheckpoint = z.output<typeof searchCheckpoint>;

/** @returns null where the method could not go on from here */
export function checkpointOf(arena: Arena, budget: SearchCheckpoint['budget']): SearchCheckpoint | null {
  const shelf = new CandidateShelf();
  const { ledger, options, population, frontier, gains, seen } = arena;
  const state = arena.method.saves(shelf.numberOf);
  if (state === null && ledger.evaluations > 0) return null;
  return {
    version: 1,
    budget,
    evaluations: ledger.evaluations,
    token_layers: ledger.tokenLayers,
    lost: ledger.lost,
    random: [...options.random.snapshot()],
    frontier: frontier.members.map(shelf.numberOf),
    population: population.save(shelf.numberOf),
    gains: Object.fromEntries(gains),
    seen: seen.data,
    errors: options.screen?.errors?.save() ?? {},
    // Behind all that number them.
    candidates: shelf.saved,
    state: state as SearchCheckpoint['state'],
  };
}

/**
 * Puts an arena that nothing was done with where the checkpoint was taken, but for the random numbers (`randomOf`).
 *
 * @throws UserError for a damaged one
 */
export function restoreArena(arena: Arena, saved: SearchCheckpoint): void {
  const { options, frontier, population, gains, seen, ledger } = arena;
  const candidateOf = candidatesOf(saved.candidates, options.subject);
  for (const number of saved.frontier) frontier.add(candidateOf(number));
  population.restore(saved.population, candidateOf);
  for (const [operator, gain] of Object.entries(saved.gains)) gains.set(operator, gain);
  seen.addData(saved.seen);
  options.screen?.errors?.restore(saved.errors);
  ledger.resumeAt(saved.evaluations, saved.token_layers, saved.lost);
  if (saved.state !== null) arena.method.goOn({ state: saved.state, candidateOf });
}

export const randomOf = ({ random }: SearchCheckpoint): Random => new Random(Uint32Array.from(random));
