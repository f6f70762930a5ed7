/** @file The tasks by name: a new one is a file beside this one, and a line here. */
import type { z } from 'zod';
import { atlasTask } from './atlas-job.js';
import { calibrateTask } from './calibrate-job.js';
import { corpusTask } from './corpus-job.js';
import { explainTask } from './explain-job.js';
import { imageTask } from './image-job.js';
import { scoreTask } from './score-job.js';
import type { Opened, Reads, Task } from './task.js';
import { textTask } from './text-job.js';
import { tuneTask } from './tune-job.js';

export const tasks = {
  score: scoreTask,
  explain: explainTask,
  text: textTask,
  image: imageTask,
  tune: tuneTask,
  corpus: corpusTask,
  calibrate: calibrateTask,
  atlas: atlasTask,
} as const;
export type TaskName = keyof typeof tasks;

/** A schema a task. */
export const jobSchemas = Object.fromEntries(
  Object.entries(tasks).map(([name, { schema }]) => [name, schema]),
) as { readonly [T in TaskName]: (typeof tasks)[T]['schema'] };

/** A job with every default filled in. */
export type JobOf<T extends TaskName> = z.output<(typeof tasks)[T]['schema']>;
export type Job = JobOf<TaskName>;
/** A job as it is asked for: what is left out is what it is by default. */
export type JobRequest<T extends TaskName = TaskName> = {
  [K in T]: z.input<(typeof tasks)[K]['schema']>;
}[T];

/** What a task computes. */
export type FoundBy<T extends TaskName> =
  ReturnType<(typeof tasks)[T]['open']> extends AsyncGenerator<
    unknown,
    Opened<infer Result extends object>,
    unknown
  >
    ? Result
    : never;
/** What a run of a task results in; of those that keep a run folder, with its path. */
export type ResultOf<T extends TaskName> = FoundBy<T> &
  ((typeof tasks)[T]['keeps'] extends true ? { run: string } : unknown);

/** The tasks whose model reads texts, or pictures. */
export type TaskReading<Kind extends Reads> = {
  [T in TaskName]: (typeof tasks)[T]['reads'] extends Kind ? T : never;
}[TaskName];

const byName: { readonly [T in TaskName]: Task<z.ZodType<JobOf<T>>, FoundBy<T>> } = tasks;
/** The task of that name, as a table of one type each: `tasks[name]` of a name that is not known is a union. */
export const taskOf = <T extends TaskName>(name: T): Task<z.ZodType<JobOf<T>>, FoundBy<T>> => byName[name];

export const isTask = (name: unknown): name is TaskName =>
  typeof name === 'string' && Object.hasOwn(tasks, name);

/** Whether a job's model reads texts. */
export const readsText = (job: Job): job is JobOf<TaskReading<'text'>> => tasks[job.task].reads === 'text';
