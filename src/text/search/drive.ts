/** @file Runs a search method until its budget is spent, reporting what it finds and how far it is. */

import { isDeepStrictEqual } from 'node:util';
import { untilStopped } from '../../core/until-stopped.js';
import { Checkpoints, type Saving } from '../../runs/checkpoints.js';
import type { EventBody, EventSource } from '../../runs/events.js';
import { Arena, type ArenaOptions, type Figures, type SearchMethod } from './arena.js';
import { checkpointOf, restoreArena, type SearchCheckpoint } from './checkpoint.js';

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
  /** Its last checkpoint, where it wrote one. */
  readonly checkpoint?: SearchCheckpoint | undefined;
}

/** A search of its own, or a baseline beside it. */
export type SearchSource = Extract<EventSource, 'search' | 'prior_best' | 'corpus_best'>;

export interface DriveOptions {
  readonly arena: ArenaOptions;
  readonly budget: Budget;
  readonly signal: AbortSignal | undefined;
  /** Whose events these are. */
  readonly source: SearchSource;
  /** A few words for the progress bar. */
  readonly note: string;
  readonly earlier?: Earlier;
  /** Gets a checkpoint before the first turn, then at the end of turns from which the method can continue, and at the end. */
  readonly saving?: Saving<SearchCheckpoint>;
}

/**
 * Whether a resumed search ends with the result of one that was never stopped: the budget is the same, in evaluations.
 * Then what was found since the checkpoint is found again.
 */
export const isRepeatable = (budget: Budget, earlier: Earlier | undefined): boolean =>
  'evaluations' in budget && isDeepStrictEqual(earlier?.checkpoint?.budget, budget);

/** What is left when a search has ended. */
export interface Driven {
  readonly arena: Arena;
  readonly seconds: number;
  /** The last figures that the method gave of itself. */
  readonly measured: Figures | null;
}

export async function* drive(
  method: SearchMethod,
  { arena: options, budget, signal, source, note, earlier, saving }: DriveOptions,
): AsyncGenerator<EventBody, Driven, void> {
  const name = 'seconds' in budget ? 'seconds' : 'evaluations';
  const allowed = {
    seconds: Infinity,
    evaluations: Infinity,
    secondsBefore: earlier?.seconds ?? 0,
    ...budget,
  };
  const total = allowed[name];
  const arena = new Arena(options, allowed);
  const { ledger } = arena;
  if (earlier?.checkpoint) restoreArena(arena, earlier.checkpoint);
  if (earlier && !isRepeatable(budget, earlier)) {
    const there = new Set(earlier.checkpoint?.candidates.map(({ report }) => report.token_ids.join()));
    const rows = earlier.found
      .filter((ids) => !there.has(ids.join()))
      .map((ids) => Int32Array.from(options.subject.tokenizer.behindStart(ids)));
    await arena.recall(rows, earlier.evaluations);
  }
  const checkpoints = new Checkpoints(saving, () => checkpointOf(arena, budget));
  if (!earlier) checkpoints.write();
  const turns = untilStopped(method(arena), signal);
  let step = 0;
  let measured: Figures | null = null;
  let lost = 0;
  try {
    while (ledger.spent < 1 && !signal?.aborted && ledger.lost - lost < MOST_LOST) {
      const before = ledger.evaluations;
      const turn = await turns.next();
      // The turn that ends the method, or that the signal ended, may have found something too.
      yield* entered(arena, source);
      if (turn.done) return { arena, seconds: ledger.seconds, measured };
      if (ledger.evaluations > before) lost = ledger.lost;
      const { seconds: elapsed, spent } = ledger;
      measured = turn.value ?? measured;
      if (turn.value) yield { kind: 'step', source, step: ++step, metrics: { ...turn.value } };
      yield {
        kind: 'progress',
        source,
        budget: name,
        done: Math.min(spent, 1) * total,
        total,
        rate: ledger.evaluations / elapsed,
        rate_unit: 'evaluations',
        seconds_left: spent > 0 ? Math.max(0, (elapsed * (1 - spent)) / spent) : null,
        note,
      };
      checkpoints.writeIfDue();
    }
    checkpoints.write();
  } catch (error) {
    // A turn that fails may have found something before.
    yield* entered(arena, source);
    throw error;
  } finally {
    await turns.return();
  }
  return { arena, seconds: ledger.seconds, measured };
}

/** What entered the frontier since the last call. */
function* entered(arena: Arena, source: SearchSource): Generator<EventBody, void, void> {
  for (const { candidate, operator } of arena.takeEntered())
    yield { kind: 'candidate', source, candidate: candidate.report, operator };
}
