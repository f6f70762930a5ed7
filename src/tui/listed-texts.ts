/** @file Which texts the screen of a run lists, and in what order. */
import { type CandidateOrder, type Entry, type RunView, sortCandidates } from '../runs/run-view.js';
import type { RunPlace } from './places.js';

export interface ListedTexts {
  readonly entries: readonly Entry[];
  readonly order: CandidateOrder;
  /** What they are, in a few words. */
  readonly name: string;
}

/**
 * For a search, the frontier, or (`a`) all texts that ever entered it; for a training, the samples of its steps, or the
 * frontier of everything sampled.
 */
export function listedTexts(view: RunView, { all, order }: Pick<RunPlace, 'all' | 'order'>): ListedTexts {
  const frontier = { entries: sortCandidates(view.frontier, order), order, name: 'candidates' };
  if (view.task !== 'tune')
    return all
      ? { entries: sortCandidates(view.entries, order), order, name: 'that ever entered' }
      : frontier;
  if (all || view.samples.length === 0) return { ...frontier, name: 'texts on the frontier' };
  const samples = view.samples.flatMap(({ step, at, texts }) =>
    texts.map((text): Entry => ({ ...text, at, operator: `step ${step}` })),
  );
  // Samples are looked at from the newest, unless one asks for another order.
  const wanted = order === 'nats' ? 'newest' : order;
  return { entries: sortCandidates(samples, wanted), order: wanted, name: 'samples of the steps' };
}
