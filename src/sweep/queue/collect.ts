/** @file A sweep through a queue: its jobs are added, and what workers made of them is brought into its folder. */
import { basename, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../core/errors.js';
import { resolveLocal } from '../../hub/resolve-model.js';
import { eventClock, finishRun, type Run } from '../../runs/events.js';
import { safeFileName } from '../../runs/run-folder.js';
import { grouped, modelKey } from '../grouping.js';
import { jobsProgress } from '../jobs-progress.js';
import { hashOf, SharedModel } from '../shared-model.js';
import type { Sweep, SweepDocument, SweepEntry } from '../sweep-file.js';
import { readPackedRun, unpackRun } from './archive.js';
import { type QueuedJob, queueId } from './messages.js';
import type { SweepQueue } from './queue.js';

const LOOK_EVERY = 500;
/** Outcomes that are read before the folder is brought up to date. */
const AT_A_TIME = 100;

/**
 * Adds the jobs of a sweep that are not done; those that failed or were cancelled once more. Models that are on this
 * machine say which weights the workers' must be.
 */
export async function submitSweep(sweep: Sweep, queue: SweepQueue, signal: AbortSignal): Promise<void> {
  const open = sweep.jobs.filter(({ state }) => state !== 'done');
  const again = open.filter(({ state }) => state === 'failed' || state === 'cancelled');
  await queue.remove(again.map(({ id }) => queueId({ sweep: sweep.key, id })));
  const ofModels = new Map(open.map((entry) => [modelKey(entry.job), entry.job]));
  const shared = new SharedModel();
  for (const [key, job] of ofModels) {
    if (typeof job.model === 'string' && !resolveLocal(job.model)) continue;
    await queue.store.agreedHash(key, hashOf(await finishRun(shared.of(job, signal))));
  }
  const folder = safeFileName(basename(resolve(sweep.folder)));
  await queue.add(grouped(open).map(({ id, job }): QueuedJob => ({ sweep: sweep.key, folder, id, job })));
  sweep.update(again.map(({ id }) => [id, { state: 'waiting', error: null }]));
}

/**
 * Brings outcomes into the sweep's folder as they come, until all are there.
 *
 * @yields progress by jobs, and a warning for each that failed
 */
export async function* collectSweep(
  sweep: Sweep,
  queue: SweepQueue,
  signal: AbortSignal,
): Run<SweepDocument> {
  const event = eventClock();
  const nameOf = ({ id }: SweepEntry) => queueId({ sweep: sweep.key, id });
  const open = new Map(
    sweep.jobs.filter(({ state }) => !ended.has(state)).map((entry) => [nameOf(entry), entry]),
  );
  while (open.size > 0 && !signal.aborted) {
    const there = (await queue.ended()).filter((id) => open.has(id));
    for (let at = 0; at < there.length; at += AT_A_TIME) {
      const changes = new Map<string, Partial<SweepEntry>>();
      for (const name of there.slice(at, at + AT_A_TIME)) {
        const { id } = open.get(name)!;
        const change = await broughtIn(sweep, queue, id);
        if (change === null) continue;
        open.delete(name);
        changes.set(id, change);
        if (change.error) yield event({ kind: 'warning', message: `${id}: ${change.error}` });
      }
      sweep.update(changes);
    }
    const cancelled = (await queue.store.cancelled()).flatMap((name) => open.get(name) ?? []);
    for (const entry of cancelled)
      if ((await queue.isGone(nameOf(entry))) && open.delete(nameOf(entry)))
        sweep.update([[entry.id, { state: 'cancelled' }]]);
    const total = sweep.jobs.length;
    yield event(jobsProgress(total - open.size, total, 'workers compute'));
    if (open.size > 0) await sleep(LOOK_EVERY, undefined, { signal }).catch(() => undefined);
  }
  if (open.size === 0) {
    // What is in the folder need not be in the queue. Failed jobs are kept there, to be seen.
    await queue.remove(sweep.jobs.filter(({ state }) => state !== 'failed').map(nameOf));
    await queue.store.forgetModels();
  }
  return sweep.document();
}

const ended = new Set<SweepEntry['state']>(['done', 'failed', 'cancelled']);

/** How a job that came to its end changes its entry; its files are written before. */
async function broughtIn(sweep: Sweep, queue: SweepQueue, id: string): Promise<Partial<SweepEntry> | null> {
  const name = queueId({ sweep: sweep.key, id });
  const outcome = await queue.outcomeOf(name);
  if (outcome === null) return null;
  if ('error' in outcome) return { state: 'failed', error: outcome.error };
  const { state, kept, place } = outcome;
  if (kept === 'worker' && state === 'done')
    return { state, error: `its files are too large for the queue and are still at ${place}` };
  if (kept !== 'queue') return { state, error: null };
  try {
    const packed = await queue.store.filesOf(name);
    if (packed === null) return { state: 'failed', error: 'the queue has lost its files' };
    unpackRun(readPackedRun(packed), sweep.folder, id);
    return { state, error: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { state: 'failed', error: error.message };
  }
}
