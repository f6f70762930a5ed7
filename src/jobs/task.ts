/** @file What a task is: how its jobs are opened, run and resumed. */
import type { z } from 'zod';
import type { RecordedModel } from '../runs/description.js';
import type { Run } from '../runs/events.js';
import type { RunReading } from '../runs/read-run.js';
import type { RunFolder } from '../runs/run-folder.js';
import type { More } from '../text/search/resume.js';
import type { Expression } from '../vision/objectives/expression.js';
import type { LoadedNetwork } from './open-network.js';
import type { LoadedModel } from './open-text-model.js';

/** What an earlier part of a run left, and how much further it is to go. */
export interface EarlierRun {
  readonly reading: RunReading;
  readonly more: More;
}

/** Where a run computes. */
export interface RunContext {
  /** Null = nothing is kept. */
  readonly folder: RunFolder | null;
  readonly signal: AbortSignal;
  /** Null = the run is not resumed. */
  readonly earlier: EarlierRun | null;
}

/** What the caller has already, for a job that names it. */
export interface Given {
  /** The model of the job: it is not loaded again. */
  readonly model?: LoadedModel;
  readonly network?: LoadedNetwork;
  /** For each of a picture's `units` the objective itself, where the caller has it; null = what its text says. */
  readonly objectives?: readonly (Expression | null)[];
}

/** A job whose model is loaded and whose request has been checked. */
export interface Opened<Result> {
  readonly model: RecordedModel;
  /** @yields the run's events; the last is `finished`, where the task keeps a run folder */
  begin(place: RunContext): Run<Result>;
}

/** A job as a record of any task. */
type AnyJob = Readonly<Record<string, unknown>>;

/** What a model reads: texts or pictures. */
export type Reads = 'text' | 'vision';

export interface Task<
  Schema extends z.ZodType<AnyJob>,
  Result,
  Kind extends Reads = Reads,
  Keeps extends boolean = boolean,
> {
  /** Of its jobs: `task` is its name. */
  readonly schema: Schema;
  /** What the model of its jobs reads. */
  readonly reads: Kind;
  /** Whether a name in `units` may be a pattern of many (`L*.H*`). */
  readonly takesPatterns?: boolean;
  /** A search: its runs may go further when they are finished. */
  readonly isSearch?: boolean;
  /** Whether its runs have a folder. */
  readonly keeps: Keeps;
  /** Fields that name a model or files to read; what is on disk is made absolute. */
  readonly pathFields: readonly (keyof z.output<Schema>)[];
  /** Fields that name files to write; made absolute. */
  readonly outputFields: readonly (keyof z.output<Schema>)[];
  /**
   * @yields what a download says
   * @throws UserError for what is not there, UsageError for a request that makes no sense, before anything is computed
   */
  open(job: z.output<Schema>, signal: AbortSignal, given: Given): Run<Opened<Result>>;
}

/** What tasks are declared by. A task's file is loaded to read jobs; what computes is imported where a job is opened. */
export const defineTask = <
  Schema extends z.ZodType<AnyJob>,
  Result,
  Kind extends Reads,
  Keeps extends boolean,
>(
  task: Task<Schema, Result, Kind, Keeps>,
): Task<Schema, Result, Kind, Keeps> => task;
