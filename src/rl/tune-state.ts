/**
 * @file What a tuning run keeps in its folder to be resumed from: `checkpoint.safetensors` with everything that a step
 * depends on, and `adapter/`, the adapter as others read it.
 *
 * Random numbers need no place here: each step draws from a generator named by its number. Nor does the frontier:
 * it is what the candidates in the event log add up to.
 */
import type { ScoredText } from '../core/scored-text.js';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '../engine/training/checkpoint.js';
import { readRun } from '../runs/read-run.js';
import { runFile } from '../runs/run-file.js';
import type { Lora } from './lora.js';
import { writePeft } from './peft.js';
import type { SampleStatistics } from './sample-statistics.js';

/** Where a run stands beside its arrays. */
export interface TunePosition {
  readonly steps: number;
  readonly beta: number;
  /** Spent so far. */
  readonly cost: TuneCost;
  /** Statistics of the frozen prior. */
  readonly prior: SampleStatistics;
}

export interface TuneCost {
  seconds: number;
  /** Sequences scored. */
  evaluations: number;
  /** Token positions times layers that were computed, backward passes counted as one more forward. */
  token_layers: number;
}

/** A run to resume. */
export interface TuneState {
  /** The last one; undefined when the run ended before its first. */
  readonly checkpoint: Checkpoint<TunePosition> | undefined;
  /**
   * The last step in the log. Those after the checkpoint are taken once more, with the same random numbers, and not
   * logged again.
   */
  readonly logged: number;
  /** All that entered the frontier so far. */
  readonly candidates: readonly ScoredText[];
  /** Seconds on the run's clock at its last event. */
  readonly elapsed: number;
}

const FILE = 'checkpoint.safetensors';

/** The adapter's folder in a run folder. */
export const adapterFolder = (run: string) => runFile(run, 'adapter');

/** @param run - the run folder */
export function writeTuneState(
  run: string,
  checkpoint: Checkpoint<TunePosition>,
  lora: Lora,
  baseModel: string,
): void {
  writePeft(adapterFolder(run), lora, baseModel);
  writeCheckpoint(runFile(run, FILE), checkpoint);
}

/** Where a run stands: its last checkpoint, and its log. */
export function readTuneState(run: string): TuneState {
  const { events } = readRun(run);
  return {
    checkpoint: readCheckpoint<TunePosition>(runFile(run, FILE)),
    logged: events.reduce((last, event) => (event.kind === 'step' ? Math.max(last, event.step) : last), 0),
    candidates: events.flatMap((event) => (event.kind === 'candidate' ? [event.candidate] : [])),
    elapsed: events.at(-1)?.at ?? 0,
  };
}
