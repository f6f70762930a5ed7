/** @file The tasks by name: a new one is a file beside this one, and a line here. */
import type { z } from 'zod';
import { atlasTask } from './atlas-job.js';
import { calibrateTask } from './calibrate-job.js';
import { corpusTask } from './corpus-job.js';
import { explainTask } from './explain-job.js';
import { imageTask } from './image-job.js';
import { scoreTask } from './score-job.js';
import type { Opened } from './task.js';
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

/** What a task results in; of those that keep a run folder, with its path. */
export type ResultOf<T extends TaskName> =
  ReturnType<(typeof tasks)[T]['open']> extends AsyncGenerator<unknown, Opened<infer Result>, unknown>
    ? Result & { run: string }
    : never;
