/** @file A queue as those see it who fill and watch it. */
import { type Job, Queue } from 'bullmq';
import { MOST_ATTEMPTS } from '../run-entry.js';
import type { QueueAddress } from './address.js';
import { checkRedis, PREFIX, patient } from './connect.js';
import {
  type JobOutcome,
  type JobProgress,
  jobOutcome,
  jobProgress,
  type QueuedJob,
  queueId,
} from './messages.js';
import { QueueStore } from './store.js';

/** Jobs that are added or read at a time. */
const AT_A_TIME = 200;
const FIRST_PAUSE = 1000;

const left = ['wait', 'prioritized', 'delayed'] as const;

/** A failed job that `superstim sweep --status` lists. */
export interface FailedJob {
  readonly id: string;
  readonly error: string;
}

export interface QueueStatus {
  readonly queue: string;
  readonly name: string;
  readonly paused: boolean;
  readonly workers: number;
  readonly counts: Readonly<Record<'waiting' | 'delayed' | 'active' | 'completed' | 'failed', number>>;
  readonly active: readonly (JobProgress & { readonly id: string })[];
  readonly failed: readonly FailedJob[];
}

const MOST_LISTED = 50;

export class SweepQueue {
  private constructor(
    private readonly address: QueueAddress,
    private readonly queue: Queue<QueuedJob, JobOutcome>,
    readonly store: QueueStore,
  ) {}

  /** @throws UserError when no Redis answers */
  static async open(address: QueueAddress): Promise<SweepQueue> {
    await checkRedis(address);
    const queue = new Queue<QueuedJob, JobOutcome>(address.name, {
      connection: patient(address),
      prefix: PREFIX,
      defaultJobOptions: {
        attempts: MOST_ATTEMPTS,
        backoff: { type: 'exponential', delay: FIRST_PAUSE },
        // Sentences are enough: a stack has paths of the worker's machine.
        stackTraceLimit: 0,
      },
    });
    // An outage ends by itself; whoever waits for an answer waits longer.
    queue.on('error', () => undefined);
    return new SweepQueue(address, queue, new QueueStore(address));
  }

  /** Adds jobs; those that are in the queue already stay as they are. */
  async add(jobs: readonly QueuedJob[]): Promise<void> {
    for (let at = 0; at < jobs.length; at += AT_A_TIME)
      await this.queue.addBulk(
        jobs
          .slice(at, at + AT_A_TIME)
          .map((job) => ({ name: job.job.task, data: job, opts: { jobId: queueId(job) } })),
      );
  }

  /** Takes jobs out that nobody works on, with what is kept of them. */
  async remove(ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.queue.remove(id);
    await this.store.forget(ids);
  }

  /** Ids of the jobs that came to an end. */
  ended(): Promise<string[]> {
    return this.queue.getRanges(['completed', 'failed'], 0, -1, true);
  }

  /** What a job came to; null where it has not. */
  async outcomeOf(id: string): Promise<JobOutcome | { readonly error: string } | null> {
    const job = await this.queue.getJob(id);
    if (!job?.finishedOn) return null;
    if (job.failedReason) return { error: job.failedReason };
    const outcome = jobOutcome.safeParse(job.returnvalue);
    return outcome.success ? outcome.data : { error: 'the queue has no outcome of it that can be read' };
  }

  /** Whether a job is not in the queue. */
  async isGone(id: string): Promise<boolean> {
    return (await this.queue.getJobState(id)) === 'unknown';
  }

  pause(paused: boolean): Promise<void> {
    return paused ? this.queue.pause() : this.queue.resume();
  }

  /**
   * Cancels jobs: those that wait leave the queue, those that are computed stop and keep what they found.
   *
   * @param ids - as `--status` prints them, without the sweep's key; null: all
   * @returns how many
   */
  async cancel(ids: readonly string[] | null): Promise<number> {
    const all = await this.queue.getRanges(['active', ...left], 0, -1, true);
    const asked = all.filter((id) => ids === null || ids.includes(shownId(id)));
    await this.store.cancel(asked);
    for (const id of asked) await this.queue.remove(id).catch(() => 0);
    return asked.length;
  }

  async status(): Promise<QueueStatus> {
    const [counts, paused, workers, active, failed] = await Promise.all([
      this.queue.getJobCounts(...left, 'active', 'completed', 'failed'),
      this.queue.isPaused(),
      this.queue.getWorkersCount(),
      this.queue.getJobs(['active'], 0, MOST_LISTED - 1, true),
      this.queue.getJobs(['failed'], 0, MOST_LISTED - 1, true),
    ]);
    const count = (name: string) => counts[name] ?? 0;
    return {
      queue: this.address.shown,
      name: this.address.name,
      paused,
      workers,
      counts: {
        waiting: count('wait') + count('prioritized'),
        delayed: count('delayed'),
        active: count('active'),
        completed: count('completed'),
        failed: count('failed'),
      },
      active: active.map((job) => ({ ...progressOf(job), id: shownId(job.id ?? '') })),
      failed: failed.map(({ id = '', failedReason }) => ({ id: shownId(id), error: failedReason })),
    };
  }

  async close(): Promise<void> {
    this.store.close();
    await this.queue.close();
  }
}

const shownId = (id: string): string => id.slice(id.indexOf('_') + 1);

function progressOf({ progress }: Job): JobProgress {
  const parsed = jobProgress.safeParse(progress);
  return parsed.success ? parsed.data : { share: null, note: '', best: null, worker: '' };
}
