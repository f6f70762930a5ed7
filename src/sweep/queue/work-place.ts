/** @file Where a worker keeps the run of a job: in the sweep's own folder where it can see that, else in one of its own. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { inside } from '../../core/inside.js';
import { regularSize } from '../../core/regular-file.js';
import type { OpenedJob } from '../../jobs/job.js';
import { encodeDescription } from '../../runs/description.js';
import { isSweepFolder, readSweep } from '../sweep-file.js';
import { packRun, readPackedRun, unpackRun } from './archive.js';
import type { JobOutcome, QueuedJob } from './messages.js';
import type { JobLock, QueueStore } from './store.js';

export interface WorkPlace {
  /** The folder that has the run folders. */
  readonly folder: string;
  /** Whether it is the sweep's own; else what is in it is handed back through the queue. */
  readonly shared: boolean;
}

/** @param out - the worker's folder */
export function workPlace(out: string, { sweep, folder }: QueuedJob): WorkPlace {
  const own = inside(out, folder, 'a job of the queue');
  if (isSweepFolder(own) && readSweep(own).key === sweep) return { folder: own, shared: true };
  return { folder: inside(out, sweep, 'a job of the queue'), shared: false };
}

/**
 * Gets what another worker had of a job, where that is more than what is here.
 *
 * @param anew - the job is begun anew instead: what there was of it made it fail
 * @param open - opens the job as this machine has it: its paths may be others
 */
export async function restoreRun(
  { folder, shared }: WorkPlace,
  { id, store, job, anew }: { id: string; store: QueueStore; job: string; anew: boolean },
  open: () => Promise<OpenedJob>,
): Promise<void> {
  if (shared) return;
  if (anew) return rmSync(inside(folder, id, 'a job of the queue'), { recursive: true, force: true });
  const packed = await store.filesOf(job);
  if (packed === null) return;
  const files = new Map(readPackedRun(packed));
  const log = `${id}/events.jsonl`;
  const here = existsSync(join(folder, id)) ? (regularSize(join(folder, log)) ?? 0) : 0;
  if ((files.get(log)?.length ?? 0) <= here) return;
  const { description } = await open();
  files.set(
    `${id}/run.json`,
    Buffer.from(encodeDescription({ ...description, created: new Date().toISOString() })),
  );
  unpackRun(files, folder, id);
}

/**
 * Hands a run back through the queue.
 *
 * @returns `worker` when it is too large, null when another worker has the job by now
 */
export async function handBack(
  { folder, shared }: WorkPlace,
  { id, store, job, lock }: { id: string; store: QueueStore; job: string; lock: JobLock },
): Promise<JobOutcome['kept'] | null> {
  if (shared) return 'shared';
  const packed = packRun(folder, id);
  if (packed === null) return 'worker';
  return (await store.keepFiles(job, packed, lock)) ? 'queue' : null;
}

/** What a worker finds where its weights are not those of the sweep. */
export class OtherWeights extends UserError {
  override name = 'OtherWeights';

  constructor(model: string, hash: string, agreed: string) {
    super(
      `the model ${model} on this machine (hash ${hash.slice(0, 12)}) is not the one of the sweep (${agreed.slice(0, 12)}): bring the same files here; the job goes to another worker`,
    );
  }
}
