/** @file What a resumed search needs, read from the events of the earlier part. */
import { isOwn, type ReadEvent } from '../../runs/events.js';
import type { Budget, Earlier } from './drive.js';

/** What was found and spent, also of a run that was killed. Baselines do not count. */
export function earlierSearch(events: readonly ReadEvent[]): Earlier {
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
  return { ...earlier, found: [...found.values()], clock: events.at(-1)?.at ?? 0 };
}

/**
 * The budget of the whole search, what was spent included: what was asked for now on top, else what the run has left,
 * else as much again.
 */
export function furtherBudget(
  budget: Budget,
  earlier: Earlier,
  more: { readonly seconds?: number; readonly evaluations?: number },
): Budget {
  if (more.seconds !== undefined) return { seconds: earlier.seconds + more.seconds };
  if (more.evaluations !== undefined) return { evaluations: earlier.evaluations + more.evaluations };
  if ('seconds' in budget)
    return { seconds: earlier.seconds < budget.seconds ? budget.seconds : earlier.seconds + budget.seconds };
  const { evaluations } = budget;
  return { evaluations: earlier.evaluations < evaluations ? evaluations : earlier.evaluations + evaluations };
}
