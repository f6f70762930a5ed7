/** @file A job from a function's arguments and options: the one way from the library to the tasks. */
import { UsageError } from '../core/errors.js';
import { field } from '../core/field.js';
import type { Given } from '../jobs/task.js';
import type { FoundBy, JobRequest, TaskName } from '../jobs/tasks.js';
import type { Run } from '../runs/events.js';
import { Running } from './running.js';

/** The fields of a task's job, but for those that are arguments. What is left out is as on the command line. */
export type FieldsOf<T extends TaskName, Arguments extends string> = Omit<
  JobRequest<T>,
  'task' | 'version' | 'model' | 'family' | Arguments
>;

export interface Stoppable {
  /** Stops a search, a scan or a render, which then results in what was found; ends anything else with an error. */
  readonly signal?: AbortSignal;
}

export interface Kept extends Stoppable {
  /** A folder that gets the run folder; without it nothing is written. */
  readonly out?: string;
}

/** A result, and the path of its run folder where one was asked for. */
export type KeptResult<T extends TaskName> = FoundBy<T> & { readonly run?: string };

/**
 * @param named - fields that are arguments of the caller
 * @param options - further fields, `signal` and `out`
 */
export function runTask<T extends TaskName>(
  task: T,
  named: Readonly<Record<string, unknown>>,
  options: Kept,
  given: Given,
): Running<KeptResult<T>> {
  return new Running(async function* (): Run<KeptResult<T>> {
    const { signal, out, ...fields } = options;
    const twice = Object.keys(fields).find((name) => name === 'task' || Object.hasOwn(named, name));
    if (twice !== undefined)
      throw new UsageError(`${field(twice)} is no option here: it is given by the call itself`);
    const { createJobFolder, openJob, runJob } = await import('../jobs/job.js');
    const opening = { given, ...(signal && { signal }) };
    const opened = yield* openJob<T>({ task, ...named, ...fields }, opening);
    if (out !== undefined && !opened.keeps)
      throw new UsageError(`${field('out')}: ${task} writes no run folder; leave it out`);
    const folder = out === undefined ? null : createJobFolder(opened, out);
    return yield* runJob(opened, folder, signal);
  });
}
