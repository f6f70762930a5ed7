/** @file A worker: takes jobs from a queue until it is stopped. */
import { type Job, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import { UsageError } from '../../core/errors.js';
import type { DeviceChoice } from '../../engine/engine-names.js';
import { failureOf, MOST_ATTEMPTS } from '../run-entry.js';
import { SharedModel } from '../shared-model.js';
import type { QueueAddress } from './address.js';
import { checkRedis, PREFIX, patient } from './connect.js';
import { type JobOutcome, type QueuedJob, queuedJob } from './messages.js';
import { performJob, workerName } from './perform-job.js';
import { QueueStore } from './store.js';
import { OtherWeights } from './work-place.js';

export interface WorkerOptions {
  readonly address: QueueAddress;
  /** Gets the run folders. */
  readonly out: string;
  /** The folder whose files jobs may name, which this process works in; null: none. */
  readonly models: string | null;
  /** Computes there instead of where jobs say. */
  readonly device: DeviceChoice | undefined;
  /** Seconds of silence after which others take over the job of a worker. */
  readonly stalledAfter: number;
  /** Stops the worker; its job goes back to the queue with what was found. */
  readonly signal: AbortSignal;
  say(sentence: string): void;
  status(line: string | null): void;
}

export interface WorkerDocument {
  readonly worker: string;
  readonly done: number;
  readonly failed: number;
}

/**
 * Works until the signal.
 *
 * @throws UserError when no Redis answers at the beginning, or the weights of a model are not those of the sweep
 */
export async function runWorker(options: WorkerOptions): Promise<WorkerDocument> {
  const { address, signal, say, status } = options;
  await checkRedis(address);
  const store = new QueueStore(address);
  const shared = new SharedModel();
  const counts = { done: 0, failed: 0 };
  let refused: OtherWeights | null = null;
  const running = new Map<string, AbortController>();
  const process = async (job: Job<unknown, JobOutcome>, token?: string): Promise<JobOutcome> => {
    const parsed = queuedJob.safeParse(job.data);
    if (!parsed.success) throw new UnrecoverableError('what stands in the queue is no job of a sweep');
    const { id } = parsed.data;
    const lost = new AbortController();
    running.set(job.id!, lost);
    try {
      const outcome = await performJob(parsed.data, contextOf(job, AbortSignal.any([signal, lost.signal])));
      if (outcome === null) return await givenBack(job, token);
      say(`${id}: ${outcome.state}`);
      counts.done++;
      return outcome;
    } catch (error) {
      if (error instanceof WaitingError) throw error;
      if (error instanceof OtherWeights) refused = error;
      if (refused || signal.aborted) return await givenBack(job, token);
      counts.failed++;
      say(`${id}: failed: ${failureOf(error)}`);
      throw error instanceof UsageError
        ? new UnrecoverableError(error.message)
        : new Error(failureOf(error), { cause: error });
    } finally {
      running.delete(job.id!);
      status(null);
    }
  };
  const contextOf = (job: Job<unknown>, signal: AbortSignal) => ({
    ...options,
    ...{ store, shared, signal, failedBefore: job.attemptsMade > 0 },
    tell: (progress: object) => {
      status(`${(job.data as QueuedJob).id}  ${(progress as { note: string }).note}`);
      job.updateProgress(progress).catch(() => undefined);
    },
    warn: (message: string) => say(`warning: ${message}`),
  });
  /** Puts a job back for others, at once. */
  const givenBack = async (job: Job, token: string | undefined): Promise<never> => {
    // First: this worker takes no other.
    closing ??= worker.close();
    await job.moveToWait(token);
    throw new WaitingError();
  };
  let closing: Promise<void> | null = null;
  const milliseconds = options.stalledAfter * 1000;
  const worker = new Worker<unknown, JobOutcome>(address.name, process, {
    connection: patient(address),
    ...{ prefix: PREFIX, name: workerName, autorun: false },
    ...{ lockDuration: milliseconds, stalledInterval: milliseconds, maxStalledCount: MOST_ATTEMPTS - 1 },
  });
  const outage = outageWatch(address, say);
  worker.on('error', outage.failed);
  worker.on('locksRenewed', outage.answered);
  worker.on('active', outage.answered);
  // Another worker has taken the job: two must not write one run.
  worker.on('lockRenewalFailed', (jobs) => {
    for (const job of jobs) running.get(job)?.abort();
  });
  const onStop = () => {
    closing ??= worker.close();
  };
  signal.addEventListener('abort', onStop);
  try {
    say(`working for ${address.shown}, queue ${address.name}, as ${workerName}`);
    if (!signal.aborted) await worker.run();
    await closing;
  } finally {
    signal.removeEventListener('abort', onStop);
    await shared.release();
    store.close();
  }
  if (refused) throw refused;
  return { worker: workerName, ...counts };
}

/** Says once that Redis is away, and once that it is back. */
function outageWatch({ shown }: QueueAddress, say: (sentence: string) => void) {
  let away = false;
  return {
    failed: ({ code, message }: NodeJS.ErrnoException) => {
      if (away || !(code?.startsWith('E') || /Connection is closed/.test(message))) return;
      away = true;
      say(`the Redis at ${shown} does not answer (${code ?? 'connection closed'}); waiting for it`);
    },
    answered: () => {
      if (away) say(`the Redis at ${shown} answers again`);
      away = false;
    },
  };
}
