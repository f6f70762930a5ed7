/** @file A sweep in this process: its jobs one after the other. */
import type { DeviceChoice } from '../engine/engine-names.js';
import { eventClock, type Run } from '../runs/events.js';
import { formatShare, progressShare } from '../runs/progress-text.js';
import { grouped } from './grouping.js';
import { jobsProgress } from './jobs-progress.js';
import { failureOf, MOST_ATTEMPTS, runEntry } from './run-entry.js';
import { SharedModel } from './shared-model.js';
import type { Sweep, SweepDocument, SweepEntry } from './sweep-file.js';

export interface RunSweepOptions {
  readonly signal: AbortSignal;
  /** Computes there instead of where the jobs say. */
  readonly device?: DeviceChoice;
}

/**
 * Computes what is left of a sweep. A job that fails is noted with its error, and the next one begins; failed ones are
 * tried again by the next call.
 *
 * @yields progress by jobs, and the warnings of each
 */
export async function* runSweep(sweep: Sweep, options: RunSweepOptions): Run<SweepDocument> {
  const event = eventClock();
  const shared = new SharedModel();
  try {
    for (const entry of grouped(sweep.jobs.filter(({ state }) => state !== 'done'))) {
      if (options.signal.aborted) break;
      if (entry.state === 'running' && entry.attempts >= MOST_ATTEMPTS) {
        const error = `the process ended ${entry.attempts} times while this job ran: it is set aside`;
        sweep.update([[entry.id, { state: 'failed', attempts: 0, error }]]);
        continue;
      }
      sweep.update([[entry.id, { state: 'running', attempts: entry.attempts + 1, error: null }]]);
      sweep.update([[entry.id, yield* attempted(sweep, entry, shared, event, options)]]);
    }
  } finally {
    await shared.release();
  }
  return sweep.document();
}

const stopped = { state: 'stopped', attempts: 0 } as const;

async function* attempted(
  sweep: Sweep,
  entry: SweepEntry,
  shared: SharedModel,
  event: ReturnType<typeof eventClock>,
  { signal, device }: RunSweepOptions,
): Run<Partial<SweepEntry>> {
  const total = sweep.jobs.length;
  const done = sweep.jobs.filter(({ state }) => state === 'done').length;
  const progress = (note: string) => event(jobsProgress(done, total, note));
  yield progress(entry.id);
  try {
    const given = yield* shared.of(entry.job, signal);
    const run = runEntry(entry, { folder: sweep.folder, signal, given, ...(device && { device }) });
    for (;;) {
      const next = await run.next();
      if (next.done) return next.value ? { state: 'done' } : stopped;
      const share = next.value.kind === 'progress' ? progressShare(next.value) : null;
      if (share !== null) yield progress(`${entry.id} ${formatShare(share)}`);
      if (next.value.kind === 'warning')
        yield event({ kind: 'warning', message: `${entry.id}: ${next.value.message}` });
    }
  } catch (error) {
    if (signal.aborted) return stopped;
    return { state: 'failed', attempts: 0, error: failureOf(error) };
  }
}
