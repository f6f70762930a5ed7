/** @file The simple methods that a search is compared with, each at the cost of the search. */
import { hypervolume, isFluent } from '../../core/frontier.js';
import type { ScoredText } from '../../core/scored-text.js';
import type { Driven } from './drive.js';
import type { SearchOptions } from './search-options.js';

/** The strongest text under 6 nats of a simple method, at the cost of the search or, of a corpus, as far as it goes. */
export interface BaselineBest extends ScoredText {
  /** Hypervolume of the method's whole frontier. */
  hypervolume: number;
  evaluations: number;
}

export const baselineNotes = {
  prior_best: 'samples of the prior at equal cost',
  corpus_best: 'the corpus at equal cost',
} as const;

/** Those that stand beside a search. */
export function baselinesOf({ method, baseline, naturalText }: SearchOptions): ('prior' | 'corpus')[] {
  if (baseline === false) return [];
  return (['prior', 'corpus'] as const).filter(
    (name) => name !== method && (name !== 'corpus' || naturalText !== undefined),
  );
}

/** What a baseline is compared by; null where it found nothing. */
export function bestOf({ arena }: Driven): BaselineBest | null {
  const members = arena.frontier.members;
  const fluent = members.filter(isFluent);
  const pool = fluent.length > 0 ? fluent : members;
  if (pool.length === 0) return null;
  const best = pool.reduce((a, b) => (b.z > a.z ? b : a));
  return { ...best.report, hypervolume: hypervolume(members), evaluations: arena.ledger.evaluations };
}
