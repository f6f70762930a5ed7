/** @file A command whose work is a job: one object per file under `commands/`, one table, `job-commands.ts`. */
import type { Command } from 'commander';
import type { DeviceChoice } from '../engine/engine-names.js';
import type { ResultOf, TaskName } from '../jobs/tasks.js';
import type { CommonOptions } from './options.js';
import type { Paint } from './output.js';

/** Makes what people read: colours where they are wanted, and tables. */
export interface Printer {
  readonly paint: Paint;
  /** Rows of cells, in columns. */
  table(rows: readonly (readonly string[])[]): string;
}

/** How a job is run. */
export interface PerformFlags extends CommonOptions {
  tui?: boolean;
  /** `run` and `resume` compute there instead of where the job says. */
  device?: DeviceChoice;
  /** Whether what is found is shown as a site too. */
  site?: boolean;
  /** The folder that gets the run folder. */
  out?: string;
}

/** A job, and what it is called in an error. */
export interface NamedJob {
  readonly name: string;
  readonly job: object;
}

export interface JobCommand<T extends TaskName, Flags extends CommonOptions = CommonOptions> {
  /** With its options, without an action. */
  command(): Command;
  /**
   * The job that options ask for.
   *
   * @param made - what `command` made, with the arguments that were given
   */
  job(flags: Flags, made: Command): object | Promise<object>;
  /** The jobs of one model that options ask for where they ask for several; null where for one. */
  several?(flags: Flags): AsyncIterable<NamedJob> | null;
  /** How it is run, where that is not what the flags say. */
  performed?(flags: Flags): PerformFlags;
  /** The result, with what is made of it before it is printed. */
  complete?(result: ResultOf<T>, flags: PerformFlags): Promise<ResultOf<T>>;
  /** What people read. */
  format(result: ResultOf<T>, printer: Printer): string;
  /** The same in a few lines, where it is one of several. */
  formatBrief?(result: ResultOf<T>, printer: Printer): string;
  /** What `--json` prints, where that is not all of the result. */
  document?(result: ResultOf<T>): Promise<unknown>;
  /** Stands above the text on a terminal, as escape sequences. */
  picture?(result: ResultOf<T>, flags: CommonOptions): Promise<string>;
  /** Whether nothing came of it: warnings have said why. */
  isFailure?(result: ResultOf<T>): boolean;
}
