/** @file One job of a sweep: begun in the folder that is its own, resumed where that folder has a part of it. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BrokenRun, UserError } from '../core/errors.js';
import type { DeviceChoice } from '../engine/engine-names.js';
import { openJob, type ResumedRun, resumeRun, runJob } from '../jobs/job.js';
import type { Given } from '../jobs/task.js';
import { asJson, type Run } from '../runs/events.js';
import { makeFolder, writeFileByRename } from '../runs/files.js';
import { beginRunFolder } from '../runs/run-folder.js';
import { type RunState, RunTail } from '../runs/run-tail.js';
import type { SweepEntry } from './sweep-file.js';

/** How often a job may be begun or resumed: what ends its process or fails so often is set aside. */
export const MOST_ATTEMPTS = 3;

export interface EntryPlace {
  /** The folder that has the run folders. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** The job's model (`SharedModel`). */
  readonly given: Given;
  /** Computes there instead of where the job says. */
  readonly device?: DeviceChoice;
}

/**
 * Computes a job, or the rest of it; nothing where it is finished.
 *
 * @yields the run's events
 * @returns whether the job came to its end; false when the signal stopped it, and what it found is kept
 * @throws what the job does
 */
export async function* runEntry({ id, job }: SweepEntry, place: EntryPlace): Run<boolean> {
  const { folder, signal, given, device } = place;
  const path = resolve(folder, id);
  const options = { signal, given, ...(device && { device }) };
  if (existsSync(join(path, 'events.jsonl'))) {
    if (stateOfRun(path) === 'done') return true;
    const resumed: ResumedRun = yield* resumeRun(path, {}, options);
    yield* runJob(resumed, resumed.folder, signal, resumed.earlier);
    return stateOfRun(path) === 'done';
  }
  const result = `${path}.json`;
  if (existsSync(result)) return true;
  const opened = yield* openJob(job, options);
  if (opened.keeps) {
    yield* runJob(opened, beginRunFolder(path, opened.description), signal);
    return stateOfRun(path) === 'done';
  }
  const computed = yield* runJob(opened, null, signal);
  makeFolder(folder);
  writeFileByRename(result, `${JSON.stringify(asJson(computed), null, 1)}\n`);
  return true;
}

function stateOfRun(path: string): RunState {
  const tail = new RunTail(path);
  for (const _ of tail.poll());
  return tail.state;
}

/** Why a job failed, in a sentence; what is no user's mistake says so. */
export function failureOf(error: unknown): string {
  if (error instanceof BrokenRun) return failureOf(error.cause);
  if (error instanceof UserError) return error.message;
  const [first] = String(error).split('\n', 1);
  return `unexpected ${first} (please report this; "superstim run" with this job and --debug shows the stack)`;
}
