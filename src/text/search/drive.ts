/** @file Runs a search method until its budget is spent, telling what it finds and how far it is. */
import type { EventBody, EventSource } from '../../runs/events.js';
import { stackRows } from '../lm/rows.js';
import { Arena, type ArenaOptions, type Cost, type SearchMethod } from './arena.js';

/** Sequences lost in a row, nothing being spent, after which a method has nothing left to find. */
const MOST_LOST = 3000;

/** When a search ends. */
export type Budget = { readonly seconds: number } | { readonly evaluations: number };

/** The earlier part of a resumed search. */
export interface Earlier {
  /** Token ids of what was found, without the start token. */
  readonly found: readonly (readonly number[])[];
  readonly seconds: number;
  readonly evaluations: number;
  /** Seconds that the run's clock stands at. */
  readonly clock: number;
}

/** A search of its own, or a baseline beside it. */
export type Source = Extract<EventSource, 'search' | 'prior_best' | 'corpus_best'>;

export interface DriveOptions {
  readonly arena: Omit<ArenaOptions, 'evaluations'>;
  readonly budget: Budget;
  readonly signal: AbortSignal | undefined;
  /** Whose events these are. */
  readonly source: Source;
  /** A few words for the progress bar. */
  readonly note: string;
  readonly earlier?: Earlier;
}

/** What is left when a search has ended. */
export interface Driven {
  readonly arena: Arena;
  readonly cost: Cost;
  readonly seconds: number;
  /** The last figures that the method gave of itself. */
  readonly measured: Readonly<Record<string, number>> | null;
}

export async function* drive(
  method: SearchMethod,
  { arena: options, budget, signal, source, note, earlier }: DriveOptions,
): AsyncGenerator<EventBody, Driven, void> {
  const [name, total] =
    'seconds' in budget
      ? (['seconds', budget.seconds] as const)
      : (['evaluations', budget.evaluations] as const);
  const arena = new Arena({
    ...options,
    evaluations: name === 'evaluations' ? total : Number.POSITIVE_INFINITY,
  });
  const start = performance.now() - (earlier?.seconds ?? 0) * 1000;
  const seconds = () => (performance.now() - start) / 1000;
  const spent = () => (name === 'seconds' ? seconds() : arena.cost.evaluations) / total;
  if (earlier) await recall(arena, earlier);
  arena.spent = spent();
  const turns = method(arena);
  let step = 0;
  let measured: Driven['measured'] = null;
  let lost = 0;
  try {
    while (arena.spent < 1 && !signal?.aborted && arena.lost - lost < MOST_LOST) {
      const before = arena.cost.evaluations;
      if ((await turns.next()).done) break;
      if (arena.cost.evaluations > before) lost = arena.lost;
      const elapsed = seconds();
      arena.spent = spent();
      for (const { candidate, operator } of arena.takeEntered())
        yield { kind: 'candidate', source, candidate: candidate.report, operator };
      measured = arena.measured ?? measured;
      if (arena.measured) yield { kind: 'step', source, step: ++step, metrics: { ...arena.measured } };
      arena.measured = null;
      yield {
        kind: 'progress',
        source,
        budget: name,
        done: Math.min(arena.spent, 1) * total,
        total,
        rate: arena.cost.evaluations / elapsed,
        rate_unit: 'evaluations',
        seconds_left: arena.spent > 0 ? Math.max(0, (elapsed * (1 - arena.spent)) / arena.spent) : null,
        note,
      };
    }
  } finally {
    await turns.return();
  }
  return { arena, cost: arena.cost, seconds: seconds(), measured };
}

/** Scores again what was found, so that the archive stands as it did; costs nothing of the budget. */
async function recall(arena: Arena, { found, evaluations }: Earlier): Promise<void> {
  if (found.length === 0) return;
  const { tokenizer } = arena.options.subject;
  const rows = found.map((ids) => Int32Array.from(tokenizer.behindBos(ids)));
  arena.cost.evaluations = -rows.length; // beside the budget
  await arena.evaluate(stackRows(rows), Array(rows.length).fill('earlier'));
  for (const row of rows) arena.isNew(row);
  arena.cost.evaluations = evaluations;
  arena.cost.tokenLayers = 0;
  arena.gains.clear();
  arena.takeEntered();
}
