/** @file The model that a job names, whatever it reads, opened. */
import type { Run } from '../runs/events.js';
import { loadNetwork } from './open-network.js';
import { openTextModel } from './open-text-model.js';
import type { Given } from './task.js';
import { type Job, readsText } from './tasks.js';

/** @throws UserError and UsageError as `openTextModel` and `loadNetwork` */
export async function* openNamed(job: Job, signal: AbortSignal): Run<Given> {
  return readsText(job)
    ? { model: yield* openTextModel(job.model, job.family, signal) }
    : { network: yield* loadNetwork(job.model, signal) };
}
