/** @file Reads a job from untrusted data: the right job, or one sentence that names the field. */
import type { z } from 'zod';
import { UsageError } from '../core/errors.js';
import { field } from '../core/field.js';
import { nearestNames } from '../core/nearest.js';
import { type ProbeJob, probeSchema } from './fields.js';
import { withNamedModel } from './named-model.js';
import { isTask, type Job, jobSchemas, type TaskName } from './tasks.js';

/**
 * Checks a job and fills in its defaults.
 *
 * @param data - plain data; `run` (what happened to the job, in a run.json) is passed over
 * @throws UsageError that names the field and what it must be
 */
export function readJob(data: unknown): Job {
  if (typeof data !== 'object' || data === null || Array.isArray(data))
    throw new UsageError(
      `a job is an object with a ${field('task')}, such as {"task":"text","unit":"L2.H5"}`,
    );
  const { run: _, ...request } = data as Record<string, unknown>;
  const { task } = request;
  if (!isTask(task)) {
    const tasks = Object.keys(jobSchemas).join(', ');
    throw new UsageError(`${field('task')} must be one of ${tasks}, not ${JSON.stringify(task) ?? 'absent'}`);
  }
  const named = withNamedModel(request);
  return checked<Job>(jobSchemas[task], named, Object.keys(fieldsOf(task)));
}

/** Reads the fields that all jobs about a language model have. Throws as `readJob` does. */
export const readProbe = (data: object): ProbeJob =>
  checked(probeSchema, data, Object.keys(probeSchema.shape));

function checked<Checked>(schema: z.ZodType<Checked>, data: object, known: readonly string[]): Checked {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new UsageError(complaint(parsed.error.issues[0]!, known));
}

/** The fields of a task. */
export function fieldsOf(task: TaskName): Record<string, unknown> {
  const schema = jobSchemas[task];
  return 'shape' in schema ? schema.shape : schema.in.shape;
}

/** An issue of zod in one sentence. */
function complaint(issue: z.core.$ZodIssue, known: readonly string[]): string {
  if (issue.code === 'unrecognized_keys') {
    const unknown = issue.keys[0]!;
    const [meant] = nearestNames(unknown, known, 1);
    return `a job of this task has no field "${unknown}"${meant ? `; did you mean ${field(meant)}?` : ''}`;
  }
  const [name, ...inside] = issue.path.map(String);
  const where = inside.length > 0 ? ` (entry ${inside.join('.')})` : '';
  const [first = '', ...rest] = issue.message;
  return `${field(name ?? 'task')}${where}: ${first.toLowerCase()}${rest.join('')}`;
}
