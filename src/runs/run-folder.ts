/**
 * @file The folder of one run: `run.json` (what was asked), `events.jsonl` (what happened, append-only),
 * `frontier.json`, `frames/`. It can be read at any moment, also after a kill: every event is one `write`, and
 * other files appear by rename.
 */
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { UserError } from '../core/errors.js';
import { fileError } from '../core/file-error.js';
import type { ScoredText } from '../core/scored-text.js';
import { encodeDescription, type RunDescription, unitOf } from './description.js';
import { decodeEvent, encodeEvent } from './event-codec.js';
import type { Run, RunEvent } from './events.js';
import { makeFolder, writeFileByRename } from './files.js';

/** An open run folder. All writes are synchronous and throw UserError when the disk refuses. */
export class RunFolder {
  constructor(
    readonly path: string,
    private log: number | null,
    private lastAt = 0,
  ) {}

  /** Appends one event; when this returns, a kill cannot lose it. */
  append(event: RunEvent): void {
    if (this.log === null) throw new Error(`the run folder ${this.path} is closed`);
    this.lastAt = event.at;
    let rest = Buffer.from(`${encodeEvent(event)}\n`);
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(this.log, rest));
    } catch (error) {
      throw fileError(error, `write ${join(this.path, 'events.jsonl')}`);
    }
  }

  /** Seconds since the start, by the last event: where the clock of a continued run goes on (`eventClock`). */
  get elapsed(): number {
    return this.lastAt;
  }

  /** Replaces `frontier.json`. */
  writeFrontier(frontier: readonly ScoredText[]): void {
    this.writeFile('frontier.json', `${JSON.stringify(frontier, null, 1)}\n`);
  }

  /**
   * Writes a file of the run, whole or not at all, subfolders made as needed.
   *
   * @param name - relative to the run folder, with `/`: `frames/000010.png`
   * @returns the path on disk
   */
  writeFile(name: string, data: string | Uint8Array): string {
    const path = join(this.path, name);
    if (relative(this.path, path).split(sep)[0] === '..')
      throw new Error(`${name} is outside of the run folder`);
    makeFolder(dirname(path));
    writeFileByRename(path, data);
    return path;
  }

  /** Closes the log; safe to call twice. */
  close(): void {
    if (this.log !== null) closeSync(this.log);
    this.log = null;
  }
}

/**
 * Makes `parent/<time>-<unit>/` with its `run.json` and an empty event log. Call it before computing starts: a
 * folder that cannot be written is then found out in the first millisecond.
 *
 * @param parent - made when missing
 * @param now - the time in the name
 * @throws UserError when the folder cannot be made or written
 */
export function createRunFolder(parent: string, description: RunDescription, now = new Date()): RunFolder {
  const stem = join(
    resolve(parent),
    `${timeName(now)}-${safeFileName(unitOf(description) ?? description.job.task)}`,
  );
  const path = makeNewFolder(parent, stem);
  const created = description.created ?? now.toISOString();
  writeFileByRename(join(path, 'run.json'), encodeDescription({ ...description, created }));
  return new RunFolder(path, openLog(path, 'ax'));
}

/**
 * Opens the folder of an earlier run to continue it. A last line that a kill cut off is removed.
 *
 * @throws UserError when the folder has no event log or cannot be written
 */
export function openRunFolder(path: string): RunFolder {
  const file = join(path, 'events.jsonl');
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw fileError(error, `continue the run ${path}`);
  }
  const log = openLog(path, 'r+');
  const whole = bytes.lastIndexOf(0x0a) + 1;
  if (whole < bytes.length) ftruncateSync(log, whole);
  closeSync(log);
  const lastLine = bytes.toString('utf8', 0, whole).trimEnd().split('\n').at(-1) ?? '';
  return new RunFolder(resolve(path), openLog(path, 'a'), decodeEvent(lastLine)?.at ?? 0);
}

/**
 * Writes a run to its folder while it passes by. An error of the run becomes its last event and is thrown on;
 * the log is closed in any case, also when the reader stops early.
 */
export async function* recordRun<Result>(folder: RunFolder, run: Run<Result>): Run<Result> {
  try {
    for (;;) {
      const next = await run.next();
      if (next.done) return next.value;
      folder.append(next.value);
      yield next.value;
    }
  } catch (error) {
    recordFailure(folder, error);
    throw error;
  } finally {
    await run.return(undefined as Result);
    folder.close();
  }
}

/** A disk that is full must not hide why the run failed. */
function recordFailure(folder: RunFolder, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  try {
    folder.append({ kind: 'failed', at: folder.elapsed, message });
  } catch (second) {
    if (!(second instanceof UserError)) throw second;
  }
}

/**
 * A unit name as part of a file name on any system: letters, digits, `.`, `_`, `-`, at most 60 characters.
 * Several units may share one; the unit itself is in `run.json`.
 */
export function safeFileName(name: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^A-Za-z0-9._]+/g, '-')
    .slice(0, 60)
    .replace(/^[-.]+|[-.]+$/g, '');
  return plain === '' ? 'unit' : plain;
}

/** `20250131-235959`, local time: sorts by age, and has no character a file system objects to. */
function timeName(time: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${time.getFullYear()}${two(time.getMonth() + 1)}${two(time.getDate())}`;
  return `${day}-${two(time.getHours())}${two(time.getMinutes())}${two(time.getSeconds())}`;
}

/** Two runs of one unit in one second get `-2`, `-3` … */
function makeNewFolder(parent: string, stem: string): string {
  makeFolder(parent);
  for (let copy = 1; ; copy++) {
    const path = copy === 1 ? stem : `${stem}-${copy}`;
    try {
      mkdirSync(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw fileError(error, `write to the output folder ${parent}`);
    }
  }
}

function openLog(path: string, flags: string): number {
  const file = join(path, 'events.jsonl');
  try {
    return openSync(file, flags);
  } catch (error) {
    throw fileError(error, `write ${file}`);
  }
}
