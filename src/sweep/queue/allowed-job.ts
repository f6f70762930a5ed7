/**
 * @file What a job of a queue may name. It may come from anyone who can write to the queue: it reads no file but those in
 * the folder that the worker was given, and writes none but its run folder.
 */
import { existsSync } from 'node:fs';
import { UsageError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import { inside } from '../../core/inside.js';
import { embeddedModels } from '../../hub/embedded.js';
import { parseHubModel } from '../../hub/resolve-model.js';
import { fileFields } from '../../jobs/job.js';
import { readJob } from '../../jobs/read-job.js';
import { readsText, taskOf } from '../../jobs/tasks.js';
import { exampleOf } from '../../text/atlas/unit-pattern.js';
import { kindOf } from '../../text/readouts/kinds.js';
import { namedUnits } from '../../text/readouts/named-dictionaries.js';

/** Starts of a picture that are no files. */
const NO_FILES = ['noise', 'black'];

/**
 * Checks a job of a queue.
 *
 * @param models - the folder whose files a job may name, relative to it; it is the folder that this process works in.
 *   Null: none
 * @throws UsageError that names what is not allowed, or as `readJob`
 */
export async function checkAllowed(data: unknown, models: string | null): Promise<void> {
  const job = readJob(data);
  const { read, written } = fileFields(job);
  for (const [name, value] of written) {
    if (value !== null)
      throw new UsageError(
        `${field(name)} is not for jobs of a queue: a worker writes into the run folder only`,
      );
  }
  const named = [...read.flatMap(([name, value]) => [value].flat().map((one) => [name, one] as const))];
  if (readsText(job)) {
    const names = [('unit' in job && job.unit) || [], ('units' in job && job.units) || []].flat();
    const units = taskOf(job.task).takesPatterns ? names.map(exampleOf) : names;
    for (const unit of namedUnits(units, job.reference))
      for (const file of kindOf(unit).files?.(unit) ?? []) named.push(['unit', file]);
  }
  for (const [name, value] of named) if (typeof value === 'string') checkNamed(name, value, models);
}

function checkNamed(name: string, value: string, models: string | null): void {
  if (embeddedModels().includes(value) || NO_FILES.includes(value)) return;
  const repository = value.split('/').slice(0, 2).join('/');
  const onHub = parseHubModel(repository) !== null && !value.split('/').includes('..');
  if (onHub && !existsSync(value)) return;
  if (models === null)
    throw new UsageError(
      `${field(name)} names "${value.slice(0, 100)}", a file of this machine, and this worker lets jobs name none: start it with --models and the folder that has it`,
    );
  inside(models, value, `the field ${name} of a job`);
}
