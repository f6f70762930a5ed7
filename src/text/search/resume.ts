/** @file What a resumed search needs, read from the events of the earlier part. */
import { isOwn, type ReadEvent } from '../../runs/events.js';
import type { SearchCheckpoint } from './checkpoint.js';
import type { Budget, Earlier } from './drive.js';

/**
 * What was found and spent, also of a run that was killed. Baselines do not count.
 *
 * @param checkpoint - the last one of the run
 */
export function earlierSearch(events: readonly ReadEvent[], checkpoint?: SearchCheckpoint): Earlier {
  const earlier = { seconds: 0, evaluations: 0 };
  const found = new Map<string, readonly number[]>();
  for (const event of events) {
    if (event.kind === 'candidate' && isOwn(event.source))
      found.set(event.candidate.token_ids.join(), event.candidate.token_ids);
    if (event.kind !== 'progress' || event.rate_unit !== 'evaluations' || !isOwn(event.source)) continue;
    const rate = event.rate ?? 0;
    if (event.budget === 'seconds')
      Object.assign(earlier, { seconds: event.done, evaluations: Math.round(rate * event.done) });
    else Object.assign(earlier, { seconds: rate > 0 ? event.done / rate : 0, evaluations: event.done });
  }
  return { ...earlier, found: [...found.values()], clock: events.at(-1)?.at ?? 0, checkpoint };
}

/** What an earlier part of any search had spent, and of what. */
type Spent = Pick<Earlier, 'seconds' | 'evaluations'> & {
  readonly checkpoint?: { readonly budget: Budget } | undefined;
};

/**
 * The budget of the whole search, what was spent included: what was asked for now on top; of a finished one, as much
 * again; else what the stopped part had.
 *
 * @param budget - the one that the run began with
 */
export function furtherBudget(budget: Budget, earlier: Spent, more: More, isFinished: boolean): Budget {
  const { seconds, evaluations, checkpoint } = earlier;
  if (more.seconds !== undefined) return { seconds: seconds + more.seconds };
  if (more.evaluations !== undefined) return { evaluations: evaluations + more.evaluations };
  const left = 'seconds' in budget ? budget.seconds - seconds : budget.evaluations - evaluations;
  // Runs of earlier versions do not say what they had.
  if (!isFinished && (checkpoint || left > 0)) return checkpoint?.budget ?? budget;
  return 'seconds' in budget
    ? { seconds: seconds + budget.seconds }
    : { evaluations: evaluations + budget.evaluations };
}

/** More of a budget, for a search that is resumed. */
export interface More {
  readonly seconds?: number;
  readonly evaluations?: number;
}
