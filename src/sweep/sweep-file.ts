/** @file `sweep.json`: the jobs of a sweep and how each stands. It is written after every change, whole or not at all. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { readRegularFile } from '../core/regular-file.js';
import type { JobRecord } from '../runs/description.js';
import { asJson } from '../runs/events.js';
import { makeFolder, writeFileByRename } from '../runs/files.js';
import { safeFileName } from '../runs/run-folder.js';
import { lockRun, type RunLock } from '../runs/run-lock.js';

export const sweepStates = ['waiting', 'running', 'stopped', 'done', 'failed', 'cancelled'] as const;
/** `stopped`: begun, and resumed when the sweep is. */
export type SweepState = (typeof sweepStates)[number];

/** The name of a run folder that may come from others: no way out of its parent, nothing hidden. */
export const entryId = z.string().regex(/^[A-Za-z0-9][\w.-]{0,119}$/);

const entry = z.object({
  /** Also the name of its run folder in the sweep's; of a task that keeps no run, `ID.json` is the result. */
  id: entryId,
  job: z.object({ task: z.string() }).catchall(z.json()),
  state: z.enum(sweepStates),
  /** How often it was begun since it last came to an end of any kind. */
  attempts: z.int().min(0),
  /** Why the last attempt failed; null where it did not. */
  error: z.string().nullable(),
});
const sweep = z.object({
  version: z.literal(1),
  /** Distinguishes it from other sweeps in a queue. */
  key: entryId,
  jobs: z.array(entry),
});

export type SweepEntry = z.output<typeof entry>;
/** What is printed with `--json`. */
export type SweepDocument = z.output<typeof sweep> & { readonly folder: string };

const FILE = 'sweep.json';
/** Bytes of the largest: a hundred thousand jobs and more. */
const LARGEST = 1024 ** 3;

export const isSweepFolder = (path: string): boolean => existsSync(join(path, FILE));

/** @throws UserError when it cannot be read or is damaged */
export function readSweep(folder: string): SweepDocument {
  const path = join(folder, FILE);
  const text = readRegularFile(path, LARGEST).toString('utf8');
  try {
    return { folder, ...sweep.parse(JSON.parse(text)) };
  } catch (cause) {
    throw new UserError(`${path} is damaged: start the sweep anew in another folder`, { cause });
  }
}

/** The entries of new jobs, by number and unit. */
export function newEntries(jobs: readonly object[]): SweepEntry[] {
  const digits = Math.max(4, String(jobs.length).length);
  return jobs.map((data, i) => {
    const job = asJson(data) as JobRecord;
    const name = typeof job.unit === 'string' ? job.unit : [job.units ?? job.task].flat().join('_');
    return {
      id: `${String(i + 1).padStart(digits, '0')}-${safeFileName(name)}`,
      job: job as SweepEntry['job'],
      state: 'waiting',
      attempts: 0,
      error: null,
    };
  });
}

/** A sweep that this process works on, its folder locked. */
export class Sweep {
  private constructor(
    readonly folder: string,
    readonly key: string,
    private readonly entries: SweepEntry[],
    private readonly lock: RunLock,
  ) {}

  /**
   * Opens the sweep of a folder, or makes a new one.
   *
   * @param jobs - null: those that the folder has
   * @throws UserError when the folder has other jobs, cannot be written, or another process works on it
   */
  static open(folder: string, jobs: readonly object[] | null): Sweep {
    makeFolder(folder);
    const lock = lockRun(folder);
    try {
      const before = isSweepFolder(folder) ? readSweep(folder) : null;
      const asked = jobs && newEntries(jobs);
      const same = (list: readonly SweepEntry[]) => list.map(({ id, job }) => ({ id, job }));
      if (before && asked && !isDeepStrictEqual(same(before.jobs), same(asked)))
        throw new UserError(
          `${folder} has a sweep of other jobs: give another folder, or continue that one with "superstim sweep ${folder}"`,
        );
      const key = before?.key ?? randomBytes(6).toString('hex');
      const opened = new Sweep(folder, key, before?.jobs ?? asked ?? [], lock);
      if (!before) opened.write();
      return opened;
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  get jobs(): readonly SweepEntry[] {
    return this.entries;
  }

  /** Changes some entries, by id, and writes the file once. */
  update(changes: Iterable<readonly [id: string, change: Partial<SweepEntry>]>): void {
    const byId = new Map(changes);
    if (byId.size === 0) return;
    for (const entry of this.entries) Object.assign(entry, byId.get(entry.id));
    this.write();
  }

  document(): SweepDocument {
    return { folder: this.folder, version: 1, key: this.key, jobs: this.entries };
  }

  close(): void {
    this.lock.release();
  }

  private write(): void {
    writeFileByRename(
      join(this.folder, FILE),
      `${JSON.stringify({ version: 1, key: this.key, jobs: this.entries }, null, 1)}\n`,
    );
  }
}
