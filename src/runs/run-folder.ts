/**
 * @file The folder of one run: `run.json` (what was asked), `events.jsonl` (what happened, append-only),
 * `frontier.json`, `frames/`. It can be read at any moment, also after a kill: every event is one `write`, and
 * other files appear by rename.
 */
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import { fileError } from '../core/file-error.js';
import { regularSize } from '../core/regular-file.js';
import type { ScoredText } from '../core/scored-text.js';
import { encodeDescription, type RunDescription, unitOf } from './description.js';
import { decodeEvent, encodeEvent } from './event-codec.js';
import type { Run, RunEvent } from './events.js';
import { makeFolder, writeFileByRename } from './files.js';
import { foundFrontier } from './keep-found.js';
import { lineBefore, lineStart } from './last-line.js';
import { checkRunFolder, runFile } from './run-file.js';
import { lockRun, type RunLock } from './run-lock.js';

/** An open run folder, locked. All writes are synchronous and throw UserError when the disk refuses. */
export class RunFolder {
  constructor(
    readonly path: string,
    private log: number | null,
    private readonly lock: RunLock,
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

  /** Seconds since the start, by the last event: where the clock of a resumed run starts (`eventClock`). */
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
   * @throws UserError also when the name, or a link, leads out of the folder
   */
  writeFile(name: string, data: string | Uint8Array): string {
    this.checkThere();
    const path = runFile(this.path, name);
    makeFolder(dirname(path));
    writeFileByRename(path, data);
    return path;
  }

  /** @throws UserError when the folder is no longer where it was: what is appended goes nowhere then */
  checkThere(): void {
    if (this.log === null) return;
    const [log, there] = [
      fstatSync(this.log),
      statSync(join(this.path, 'events.jsonl'), { throwIfNoEntry: false }),
    ];
    if (there?.ino === log.ino && there.dev === log.dev) return;
    throw new UserError(
      `the run folder ${this.path} was removed or moved while the run went on: nothing more is kept there`,
    );
  }

  /** Closes the log and gives the lock back; safe to call twice. */
  close(): void {
    if (this.log === null) return;
    closeSync(this.log);
    this.log = null;
    this.lock.release();
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
  return beginRunFolder(makeNewFolder(parent, stem), description, now);
}

/**
 * Begins a run in a folder of its own that has no event log yet; one that is not there is made.
 *
 * @throws UserError when it cannot be written, or another process writes it
 */
export function beginRunFolder(path: string, description: RunDescription, now = new Date()): RunFolder {
  makeFolder(path);
  const created = description.created ?? now.toISOString();
  return locked(path, (lock) => {
    writeFileByRename(join(path, 'run.json'), encodeDescription({ ...description, created }));
    // Last: a run that was begun has its log.
    return new RunFolder(path, openLog(path, 'ax'), lock);
  });
}

/**
 * Opens the folder of an earlier run to continue it. A last line that a kill cut off is removed.
 *
 * @throws UserError when it is no run folder, has no event log, cannot be written, or another process writes it
 */
export function openRunFolder(path: string): RunFolder {
  checkRunFolder(path);
  return locked(resolve(path), (lock) => {
    // Opened to be read first: a log that is not there is not made.
    const log = openLog(path, 'r+');
    let lastAt: number;
    try {
      const { size } = fstatSync(log);
      const whole = lineStart(log, size);
      if (whole < size) ftruncateSync(log, whole);
      lastAt = timeOf(lineBefore(log, whole - 1, LONGEST_LAST_LINE));
    } finally {
      closeSync(log);
    }
    return new RunFolder(resolve(path), openLog(path, 'a'), lock, lastAt);
  });
}

/** Bytes of a last line that is read whole; a longer one holds a whole frontier. */
const LONGEST_LAST_LINE = 256 * 1024;

/** The time of an event, also of the first part of its line; 0 where it has none. */
function timeOf(line: string): number {
  return decodeEvent(line)?.at ?? Number(/^\{"kind":"\w+","at":([\d.]+)/.exec(line)?.[1] ?? 0);
}

function locked(path: string, open: (lock: RunLock) => RunFolder): RunFolder {
  const lock = lockRun(path);
  try {
    return open(lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * Writes a run to its folder while it passes by. An error of the run becomes its last event and is thrown on, and what
 * was found is kept; the folder is closed in any case, also when the reader stops early.
 *
 * @param keep - writes the result, while the folder is still open
 */
export async function* recordRun<Result>(
  folder: RunFolder,
  run: Run<Result>,
  keep?: (result: Result) => void,
): Run<Result> {
  try {
    return yield* appended(folder, run, keep);
  } finally {
    await run.return(undefined as Result);
    folder.close();
  }
}

/** A log says "finished" once the result is kept: a kill between the two would lose it, and nobody would resume the run. */
async function* appended<Result>(
  folder: RunFolder,
  run: Run<Result>,
  keep?: (result: Result) => void,
): Run<Result> {
  let finished: RunEvent | null = null;
  try {
    for (;;) {
      const next = await run.next();
      if (next.done) keep?.(next.value);
      if (finished) {
        folder.append(finished);
        yield finished;
      }
      if (next.done) return next.value;
      finished = next.value.kind === 'finished' ? next.value : null;
      if (finished) continue;
      folder.append(next.value);
      yield next.value;
    }
  } catch (error) {
    recordFailure(folder, error);
    throw error;
  }
}

/** Keeps what was found, and why it is not more. A disk that is full must not hide why the run failed. */
function recordFailure(folder: RunFolder, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  try {
    const frontier = foundFrontier(folder.path);
    if (frontier.length > 0) folder.writeFrontier(frontier);
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
  const file = runFile(path, 'events.jsonl');
  if (flags !== 'ax' && regularSize(file) === null)
    throw new UserError(`could not continue the run ${path}: it has no events.jsonl that is a file`);
  try {
    return openSync(file, flags);
  } catch (error) {
    throw fileError(error, `write ${file}`);
  }
}
