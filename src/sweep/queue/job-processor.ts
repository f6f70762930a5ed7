/** @file What a worker makes of each job that BullMQ gives it: an outcome, an error, or the job goes back. */
import { DelayedError, type Job, UnrecoverableError, WaitingError, type Worker } from 'bullmq';
import { UsageError } from '../../core/errors.js';
import { RunBusy } from '../../runs/run-lock.js';
import { failureOf } from '../run-entry.js';
import { SharedModel } from '../shared-model.js';
import { type JobOutcome, queuedJob } from './messages.js';
import { performJob } from './perform-job.js';
import type { QueueStore } from './store.js';
import { OtherWeights } from './work-place.js';
import type { WorkerOptions } from './worker-options.js';

export class JobProcessor {
  readonly counts = { done: 0, failed: 0 };
  /** Why this worker can take no more jobs. */
  refused: OtherWeights | null = null;
  private readonly shared = new SharedModel();
  /** Aborted when another worker has the job. */
  private readonly running = new Map<string, AbortController>();

  /** @param close - lets the worker take no other job */
  constructor(
    private readonly options: WorkerOptions,
    private readonly store: QueueStore,
    private readonly close: () => void,
  ) {}

  /** Stops jobs that other workers have taken: two must not write one run. */
  lose(jobs: readonly string[]): void {
    for (const job of jobs) this.running.get(job)?.abort();
  }

  async process(
    worker: Worker<unknown, JobOutcome>,
    job: Job<unknown, JobOutcome>,
    token = '',
  ): Promise<JobOutcome> {
    const { signal, say, status } = this.options;
    const parsed = queuedJob.safeParse(job.data);
    if (!parsed.success) throw new UnrecoverableError('what stands in the queue is no job of a sweep');
    const { id } = parsed.data;
    const lost = new AbortController();
    this.running.set(job.id!, lost);
    try {
      const outcome = await performJob(parsed.data, {
        ...this.options,
        store: this.store,
        shared: this.shared,
        failedBefore: job.attemptsMade > 0,
        signal: AbortSignal.any([signal, lost.signal]),
        lock: { key: worker.toKey(`${job.id}:lock`), token },
        tell: (progress) => {
          status(`${id}  ${progress.note}`);
          job.updateProgress(progress).catch(() => undefined);
        },
        warn: (message) => say(`warning: ${message}`),
      });
      if (outcome === null) return await this.back(job, token, lost.signal.aborted || !signal.aborted);
      say(`${id}: ${outcome.state}`);
      this.counts.done++;
      return outcome;
    } catch (error) {
      if (error instanceof WaitingError) throw error;
      if (error instanceof OtherWeights) this.refused = error;
      const isLost = lost.signal.aborted;
      if (isLost || this.refused || signal.aborted) return await this.back(job, token, isLost);
      // A worker of this machine that was silent still has it: it stops soon.
      if (error instanceof RunBusy) {
        await job.moveToDelayed(Date.now() + this.options.stalledAfter * 1000, token);
        throw new DelayedError();
      }
      this.counts.failed++;
      say(`${id}: failed: ${failureOf(error)}`);
      if (error instanceof UsageError) throw new UnrecoverableError(error.message);
      throw new Error(failureOf(error), { cause: error });
    } finally {
      this.running.delete(job.id!);
      status(null);
    }
  }

  dispose(): Promise<void> {
    return this.shared.release();
  }

  /** Puts a job back for others, at once, and ends this worker; but one that others have is left to them. */
  private async back(job: Job, token: string, isLost: boolean): Promise<never> {
    if (isLost) {
      this.options.say('another worker has taken over the job');
      throw new WaitingError();
    }
    // First: this worker takes no other.
    this.close();
    await job.moveToWait(token);
    throw new WaitingError();
  }
}
