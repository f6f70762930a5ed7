/** @file The ways into a run: `openJob`, `runJob`, `resumeRun`. The command line, a file and a queue all take them. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { BrokenRun, UnkeptResult, UserError } from '../core/errors.js';
import type { ScoredText } from '../core/scored-text.js';
import type { DeviceChoice } from '../engine/engine-names.js';
import type { JobRecord, RunDescription } from '../runs/description.js';
import { asJson, type Run } from '../runs/events.js';
import { hasFound } from '../runs/keep-found.js';
import { type RunReading, readRun } from '../runs/read-run.js';
import { createRunFolder, openRunFolder, type RunFolder, recordRun } from '../runs/run-folder.js';
import { runVersions } from '../runs/versions.js';
import type { More } from '../text/search/resume.js';
import { deviceOf } from './device.js';
import { fromOldJob } from './old-jobs.js';
import { readJob } from './read-job.js';
import type { EarlierRun, Given, Opened } from './task.js';
import { type FoundBy, isTask, type JobOf, type TaskName, taskOf } from './tasks.js';

/** A job that is ready to run: its model is loaded and its request makes sense. */
export interface OpenedJob<T extends TaskName = TaskName> {
  /** Every field with its value; fields that name files are absolute paths. */
  readonly job: JobOf<T>;
  /** Whether runs of it have a folder. */
  readonly keeps: boolean;
  readonly description: RunDescription;
  readonly begin: Opened<FoundBy<T>>['begin'];
}

export interface OpenOptions {
  readonly signal?: AbortSignal;
  /** The command line as typed, for run.json. */
  readonly command?: readonly string[];
  /** Computes there instead of where the job says. */
  readonly device?: DeviceChoice;
  /** What the job names and the caller has open. */
  readonly given?: Given;
}

const NEVER = new AbortController().signal;

/**
 * Reads a job, loads what it names and checks that it makes sense. Nothing is computed or written.
 *
 * @param data - plain data, from anywhere (`readJob`); a caller that knows its task says which, as `T`
 * @yields what a download says
 * @throws UsageError and UserError of one sentence
 */
export async function* openJob<T extends TaskName = TaskName>(
  data: unknown,
  { signal = NEVER, command = [], device, given = {} }: OpenOptions = {},
): Run<OpenedJob<T>> {
  const asked = readJob(data) as JobOf<T>;
  const read = { ...asked, device: await deviceOf({ ...asked, ...(device && { device }) }) };
  const task = taskOf<T>(read.task as T);
  const job = settled(read, task.pathFields, task.outputFields);
  const { model, begin } = yield* task.open(job, signal, given);
  const description = { job: asJson(job) as JobRecord, command, versions: runVersions(), model };
  return { job, keeps: task.keeps, description, begin };
}

/**
 * A job with its defaults, and the files that it names as absolute paths: it means the same from anywhere.
 *
 * @throws UsageError as `readJob`
 */
export function settledJob(data: unknown): JobOf<TaskName> {
  const job = readJob(data);
  const { pathFields, outputFields } = taskOf(job.task);
  return settled(job, pathFields, outputFields);
}

/** The fields of a job that name a model or files: those to read, and those to write. */
export function fileFields(job: JobOf<TaskName>): Record<'read' | 'written', [string, unknown][]> {
  const { pathFields, outputFields } = taskOf(job.task);
  const of = (names: readonly PropertyKey[]) => Object.entries(job).filter(([name]) => names.includes(name));
  return { read: of(pathFields), written: of(outputFields) };
}

/** Makes the run folder of an opened job. @param parent - the folder that gets it */
export const createJobFolder = ({ description }: Pick<OpenedJob, 'description'>, parent: string): RunFolder =>
  createRunFolder(parent, description);

/**
 * Computes an opened job.
 *
 * @param folder - gets every event and the result; null keeps nothing
 * @yields the run's events
 * @returns the result, with the path of its folder
 * @throws UnkeptResult, which has the result, when the folder was removed before the run ended; BrokenRun for any error
 *   after the run had found something, which the folder has
 */
export function runJob<T extends TaskName>(
  opened: OpenedJob<T>,
  folder: RunFolder,
  signal?: AbortSignal,
  earlier?: EarlierRun | null,
): Run<FoundBy<T> & { run: string }>;
export function runJob<T extends TaskName>(
  opened: OpenedJob<T>,
  folder: RunFolder | null,
  signal?: AbortSignal,
  earlier?: EarlierRun | null,
): Run<FoundBy<T> & { run?: string }>;
export async function* runJob<T extends TaskName>(
  opened: OpenedJob<T>,
  folder: RunFolder | null,
  signal: AbortSignal = NEVER,
  earlier: EarlierRun | null = null,
): Run<FoundBy<T> & { run?: string }> {
  try {
    const run = opened.begin({ folder, signal, earlier });
    if (folder === null) return yield* run;
    const result = yield* recordRun(folder, run, (result) => keepResult(folder, result));
    return { ...result, run: folder.path };
  } catch (error) {
    const isEnd = folder === null || error instanceof UnkeptResult || signal.aborted;
    throw isEnd || !hasFound(folder.path) ? error : new BrokenRun(error, wayOn(opened.job, folder));
  } finally {
    // Also where it could not begin.
    folder?.close();
  }
}

function wayOn({ device }: JobOf<TaskName>, { path }: RunFolder): string {
  const elsewhere = device === 'cpu' ? '' : ' (on the CPU with --device cpu)';
  return `what was found until then is kept: superstim resume ${path} goes on from there${elsewhere}`;
}

function keepResult(folder: RunFolder, result: object): void {
  const { frontier } = result as { readonly frontier?: readonly ScoredText[] };
  try {
    folder.checkThere();
    if (frontier) folder.writeFrontier(frontier);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UnkeptResult(error.message, { ...result, run: folder.path });
  }
}

/** A run to resume. */
export interface ResumedRun extends OpenedJob {
  readonly folder: RunFolder;
  readonly earlier: EarlierRun;
}

/**
 * Opens a run that was stopped or killed, or a search that is to go further: `runJob` with its folder and what was
 * there computes the rest.
 *
 * @param more - of a search's budget; else what is left, or as much again
 * @throws UserError when the run cannot be resumed (all but a search: when it is finished), or its model has changed
 */
export async function* resumeRun(path: string, more: More = {}, options: OpenOptions = {}): Run<ResumedRun> {
  // Locked before it is read: nobody writes in between.
  const folder = openRunFolder(path);
  let resumed: ResumedRun | null = null;
  try {
    const reading = readRun(path);
    const opened = yield* openRecorded(reading, more, options);
    resumed = { ...opened, folder, earlier: { reading, more } };
    return resumed;
  } finally {
    if (resumed === null) folder.close();
  }
}

/** Opens the job of a run again, as its folder describes it. */
async function* openRecorded(
  { path, description, state }: RunReading,
  more: More,
  options: OpenOptions,
): Run<OpenedJob> {
  if (!description)
    throw new UserError(`${path} has no run.json that can be read: its settings are not known`);
  const data = fromOldJob(description);
  const asked = more.seconds !== undefined || more.evaluations !== undefined;
  const { isSearch = false } = isTask(data.task) ? taskOf(data.task) : {};
  if (asked && !isSearch)
    throw new UserError(
      `${path} is no search (it is a run of "superstim ${data.task}"): more seconds or evaluations are for searches`,
    );
  if (state === 'done' && !isSearch) throw new UserError(`${path} is finished: there is nothing left to do`);
  const opened = yield* openJob(data, options);
  if (description.model && description.model.hash !== opened.description.model?.hash)
    throw new UserError(
      `the model ${description.model.name} is not the one that the run ${path} began with: its files have changed; start a new run`,
    );
  return { ...opened, description };
}

/** Names of files made absolute: a run can then be repeated from anywhere. A model's name or `noise` is a file only where it exists. */
function settled<J extends object>(job: J, read: readonly PropertyKey[], written: readonly PropertyKey[]): J {
  const named = Object.entries(job).map(([field, value]: [string, unknown]) => {
    const isFile = (name: string) => written.includes(field) || (read.includes(field) && existsSync(name));
    const absolute = (name: unknown) => (typeof name === 'string' && isFile(name) ? resolve(name) : name);
    return [field, Array.isArray(value) ? value.map(absolute) : absolute(value)];
  });
  return Object.fromEntries(named) as J;
}
