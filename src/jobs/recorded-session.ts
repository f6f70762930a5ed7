/** @file The session of a run that was recorded: its model and its unit again, to ask more about them. */
import { UserError } from '../core/errors.js';
import { field } from '../core/field.js';
import { resolveLocal } from '../hub/resolve-model.js';
import type { RunDescription } from '../runs/description.js';
import { finishRun } from '../runs/events.js';
import type { Session } from '../text/readouts/session.js';
import { fromOldJob } from './old-jobs.js';
import { openSession } from './open-text-model.js';
import { readJob } from './read-job.js';
import { readsText } from './tasks.js';

/**
 * Loads the model that a run names and repeats its settings, on the cpu.
 *
 * @throws UserError when the run names no model, or the model is not on this machine or not the same any more
 */
export async function recordedSession(run: RunDescription): Promise<Session & { unit: string }> {
  const { model: recorded } = run;
  const job = readJob(fromOldJob(run));
  if (!recorded || !readsText(job) || !('unit' in job))
    throw new UserError('run.json names no model and unit to compute with');
  if (!resolveLocal(job.model))
    throw new UserError(
      `the model ${recorded.name} of this run is not on this machine; give its folder its old place, or download it with ${field('model')} ${recorded.name}`,
    );
  // A run may have the GPU in another thread: ONNX Runtime's WebGPU crashes where two threads use it.
  const session = await finishRun(openSession({ ...job, device: 'cpu' }, new AbortController().signal));
  if (session.modelHash !== recorded.hash)
    throw new UserError(
      `the model ${recorded.name} has changed since this run: what would be computed does not belong to it`,
    );
  return { ...session, unit: job.unit };
}
