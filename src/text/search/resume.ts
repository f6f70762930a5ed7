/** @file What the events of a search tell whoever goes on with it. */
import type { ReadEvent } from '../../runs/events.js';
import type { Budget, Earlier } from './drive.js';

/** What was found and spent, also of a run that was killed. Samples for comparison do not count. */
export function earlierSearch(events: readonly ReadEvent[]): Earlier {
  const baseline = /at equal cost$/;
  const earlier = { seconds: 0, evaluations: 0 };
  const found = new Map<string, readonly number[]>();
  let waiting: (readonly number[])[] = [];
  for (const event of events) {
    if (event.kind === 'candidate') waiting.push(event.candidate.token_ids);
    if (event.kind !== 'progress' || event.rate_unit !== 'evaluations') continue;
    if (!baseline.test(event.note ?? '')) {
      for (const ids of waiting) found.set(ids.join(), ids);
      const rate = event.rate ?? 0;
      if (event.budget === 'seconds')
        Object.assign(earlier, { seconds: event.done, evaluations: Math.round(rate * event.done) });
      else Object.assign(earlier, { seconds: rate > 0 ? event.done / rate : 0, evaluations: event.done });
    }
    waiting = [];
  }
  // Candidates come before the progress that says whose they are; those of a search that was killed in between count.
  for (const ids of waiting) found.set(ids.join(), ids);
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
