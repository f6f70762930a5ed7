/** @file One job of a queue, computed by a worker: checked, resumed where another left it, reported and handed back. */
import { hostname } from 'node:os';
import type { DeviceChoice } from '../../engine/engine-names.js';
import { openJob } from '../../jobs/job.js';
import { finishRun, type RunEvent } from '../../runs/events.js';
import { modelKey } from '../grouping.js';
import { runEntry } from '../run-entry.js';
import { hashOf, type SharedModel } from '../shared-model.js';
import { checkAllowed } from './allowed-job.js';
import { type JobOutcome, type JobProgress, type QueuedJob, queueId } from './messages.js';
import { advanceProgress } from './report-progress.js';
import type { JobLock, QueueStore } from './store.js';
import { handBack, OtherWeights, restoreRun, workPlace } from './work-place.js';

const TOLD_EVERY = 1000;
const HANDED_BACK_EVERY = 3000;

export interface JobContext {
  readonly out: string;
  readonly models: string | null;
  readonly device: DeviceChoice | undefined;
  readonly store: QueueStore;
  readonly shared: SharedModel;
  /** Stops the job; what it found is kept. */
  readonly signal: AbortSignal;
  /** That this worker has the job. */
  readonly lock: JobLock;
  /** An earlier attempt failed. */
  readonly failedBefore: boolean;
  tell(progress: JobProgress): void;
  /** A warning of the run. */
  warn(message: string): void;
}

export const workerName = `${hostname()}:${process.pid}`;

/**
 * Computes a job or the rest of it.
 *
 * @returns null when the signal stopped it, or another worker has it by now
 * @throws UsageError for what is not allowed, OtherWeights, and what the job throws
 */
export async function performJob(queued: QueuedJob, context: JobContext): Promise<JobOutcome | null> {
  const { out, models, device, store, shared } = context;
  await checkAllowed(queued.job, models);
  const name = queueId(queued);
  const place = workPlace(out, queued);
  const cancelling = new AbortController();
  const signal = AbortSignal.any([context.signal, cancelling.signal]);
  const outcome = (state: JobOutcome['state'], kept: JobOutcome['kept']): JobOutcome => ({
    state,
    kept,
    place: `${workerName} ${place.folder}`,
  });
  if (await store.isCancelled(name)) return outcome('cancelled', place.shared ? 'shared' : 'worker');
  const onEvent = (event: RunEvent) => {
    if (event.kind === 'warning') context.warn(`${queued.id}: ${event.message}`);
  };
  const given = await finishRun(shared.of(queued.job, signal), onEvent);
  const [hash, agreed] = [hashOf(given), await store.agreedHash(modelKey(queued.job), hashOf(given))];
  if (hash !== agreed) throw new OtherWeights(String(queued.job.model ?? 'by default'), hash, agreed);

  const handing = { id: queued.id, store, job: name, lock: context.lock };
  await restoreRun(place, { ...handing, anew: context.failedBefore }, () =>
    finishRun(openJob(queued.job, { signal, given, ...(device && { device }) })),
  );
  const look = every(TOLD_EVERY, async (progress: JobProgress) => {
    context.tell(progress);
    if (await store.isCancelled(name)) cancelling.abort();
  });
  const keep = every(HANDED_BACK_EVERY, async () => void (await handBack(place, handing)));
  let progress: JobProgress = { share: null, note: '', best: null, worker: workerName };
  const entry = { id: queued.id, job: queued.job, state: 'running', attempts: 0, error: null } as const;
  const run = runEntry(entry, { folder: place.folder, signal, given, ...(device && { device }) });
  const ended = await finishRun(run, (event) => {
    onEvent(event);
    progress = advanceProgress(progress, event);
    look(progress);
    keep(progress);
  });
  const kept = await handBack(place, handing);
  if (kept === null) return null;
  if (ended) return outcome('done', kept);
  return cancelling.signal.aborted ? outcome('cancelled', kept) : null;
}

/** Calls at most so often, and not while the last call is still at it. A Redis that is away is waited for elsewhere. */
function every<T>(milliseconds: number, call: (value: T) => Promise<void>): (value: T) => void {
  let at = Date.now();
  let busy = false;
  return (value) => {
    if (busy || Date.now() - at < milliseconds) return;
    busy = true;
    at = Date.now();
    call(value)
      .catch(() => undefined)
      .finally(() => {
        busy = false;
      });
  };
}
