/**
 * @file Reads a run folder: finished, still growing, killed half-way, or written by a newer version. What is not
 * there is said, not thrown.
 */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../core/errors.js';
import { fileError } from '../core/file-error.js';
import type { ScoredText } from '../core/scored-text.js';
import { decodeDescription, type RunDescription } from './description.js';
import { decodeEvent } from './event-codec.js';
import type { FailedEvent, FinishedEvent, FrameEvent, ReadEvent } from './events.js';

/** How a run ended; `open` = no last event: it is still going, or was killed. */
export type RunState = 'open' | FinishedEvent['reason'] | FailedEvent['kind'];

/** All that a run folder holds at one moment. */
export interface RunReading {
  path: string;
  description: RunDescription | null;
  events: ReadEvent[];
  state: RunState;
  /** `frontier.json`; null when it is not there (yet). */
  frontier: ScoredText[] | null;
  /** Time of the last write, milliseconds since 1970: tells a run that goes on from one that was killed. */
  lastWrite: number | null;
  /** Everything that is absent or damaged; empty when all is there. */
  missing: Missing[];
}

/** Something that a run folder should have. */
export interface Missing {
  /** `end` = no last event; `settings`, `log`, `frontier` and `frames` name what is absent or damaged. */
  readonly code: 'settings' | 'log' | 'end' | 'frontier' | 'frames';
  readonly sentence: string;
}

/** Whether a path is a run folder: it has a log, or says what was asked. */
export function isRunFolder(path: string): boolean {
  return ['events.jsonl', 'run.json'].some((name) => existsSync(join(path, name)));
}

/**
 * Reads the whole folder.
 *
 * @param tail - reads the log, and can go on reading it where this ends
 * @throws UserError when it is no run folder at all
 */
export function readRun(path: string, tail = new RunTail(path)): RunReading {
  const events = tail.poll();
  const description = readJson(join(path, 'run.json'), decodeDescription);
  const frontier = readJson(join(path, 'frontier.json'), (value) =>
    Array.isArray(value) ? (value as ScoredText[]) : null,
  );
  const missing: (Missing | null)[] = [
    missed(
      'settings',
      description.problem && `run.json ${description.problem}: the settings of this run are not known`,
    ),
    ...tail.problems().map((sentence) => missed('log', sentence)),
    missed(
      'end',
      tail.state === 'open' &&
        events.length > 0 &&
        'the run has no last event: it is still going or was killed',
    ),
    missed(
      'frontier',
      tail.state !== 'open' &&
        hasCandidates(events) &&
        frontier.problem &&
        `frontier.json ${frontier.problem}`,
    ),
    missed('frames', missingFrames(path, events)),
  ];
  return {
    path: resolve(path),
    description: description.value,
    events,
    state: tail.state,
    frontier: frontier.value,
    lastWrite: tail.lastWrite,
    missing: missing.filter((one) => one !== null),
  };
}

/**
 * Follows a run: all events so far, then new ones as they are written, until its last event or the signal.
 *
 * @param pollEvery - milliseconds between looks
 */
export async function* followRun(
  path: string,
  { signal, pollEvery = 150 }: { signal?: AbortSignal; pollEvery?: number } = {},
): AsyncGenerator<ReadEvent, RunState, void> {
  const tail = new RunTail(path);
  for (;;) {
    yield* tail.poll();
    if (tail.state !== 'open' || signal?.aborted) return tail.state;
    // Aborting ends the wait, not the program.
    await sleep(pollEvery, undefined, signal ? { signal } : {}).catch(() => undefined);
  }
}

/**
 * The event log read piece by piece: `poll()` gives the events added since the last call. A line is an event once
 * its newline is there, so one that is being written, or that a kill cut off, waits.
 */
export class RunTail {
  state: RunState = 'open';
  lastWrite: number | null = null;
  private readonly file: string;
  private offset = 0;
  private torn: Buffer = Buffer.alloc(0);
  private damaged = 0;
  private readonly unknownKinds = new Set<string>();

  /** @throws UserError when `path` is no run folder */
  constructor(path: string) {
    this.file = join(path, 'events.jsonl');
    if (isRunFolder(path)) return;
    const what = existsSync(path) ? 'it has neither run.json nor events.jsonl' : 'there is no such folder';
    throw new UserError(
      `${path} is not a run folder: ${what}; give a folder that superstim wrote under runs/`,
    );
  }

  /** @throws UserError when the log is there but cannot be read */
  poll(): ReadEvent[] {
    const bytes = this.readNew();
    const end = bytes.lastIndexOf(0x0a) + 1;
    this.torn = Buffer.from(bytes.subarray(end));
    const events: ReadEvent[] = [];
    for (const line of bytes.toString('utf8', 0, end).split('\n')) {
      if (line.trim() === '') continue;
      const event = decodeEvent(line);
      if (event === null) {
        this.damaged++;
        continue;
      }
      this.note(event);
      events.push(event);
    }
    return events;
  }

  /** One sentence for each thing that was not as it should be, so far. */
  problems(): string[] {
    const kinds = [...this.unknownKinds].map((kind) => `"${kind}"`).join(', ');
    const problems = [
      this.lastWrite === null && 'events.jsonl is missing: nothing is known of what happened',
      this.lastWrite !== null && this.offset === 0 && 'events.jsonl is empty: the run had not begun',
      this.torn.length > 0 && 'the last line of events.jsonl was cut off and is left out',
      this.damaged > 0 && `events.jsonl has ${this.damaged} damaged line(s), left out`,
      kinds && `events of unknown kind (${kinds}) are not shown; a newer superstim wrote them`,
    ];
    return problems.filter((sentence) => typeof sentence === 'string' && sentence !== '') as string[];
  }

  private note(event: ReadEvent): void {
    if (event.kind === 'unknown') this.unknownKinds.add(String(event.event.kind));
    else if (event.kind === 'finished') this.state = event.reason;
    else if (event.kind === 'failed') this.state = 'failed';
    // A run that was continued goes on after its last event.
    else this.state = 'open';
  }

  /** What was left over last time, and everything written since. */
  private readNew(): Buffer {
    let log: number;
    try {
      log = openSync(this.file, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return this.torn;
      throw fileError(error, `read ${this.file}`);
    }
    try {
      const { size, mtimeMs } = fstatSync(log);
      this.lastWrite = mtimeMs;
      if (size < this.offset) this.cutBack(size);
      const fresh = Buffer.alloc(size - this.offset);
      const count = readSync(log, fresh, 0, fresh.length, this.offset);
      this.offset += count;
      return Buffer.concat([this.torn, fresh.subarray(0, count)]);
    } finally {
      closeSync(log);
    }
  }

  /** The log got shorter: a continued run removed its torn last line. */
  private cutBack(size: number): void {
    this.torn = this.torn.subarray(0, Math.max(0, this.torn.length - (this.offset - size)));
    this.offset = size;
  }
}

/** @param sentence - false, null or empty where nothing is missing */
function missed(code: Missing['code'], sentence: string | false | null): Missing | null {
  return sentence ? { code, sentence } : null;
}

function readJson<T>(
  file: string,
  decode: (value: unknown) => T | null,
): { value: T | null; problem: string | null } {
  try {
    const value = decode(JSON.parse(readFileSync(file, 'utf8')));
    return { value, problem: value === null ? 'is not what it should be' : null };
  } catch (error) {
    const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { value: null, problem: absent ? 'is missing' : 'cannot be read' };
  }
}

function hasCandidates(events: ReadEvent[]): boolean {
  return events.some((event) => event.kind === 'candidate');
}

function missingFrames(path: string, events: ReadEvent[]): string | false {
  const frames = events.filter((event): event is FrameEvent => event.kind === 'frame');
  const absent = frames.filter(
    ({ file }) => !statSync(join(path, file), { throwIfNoEntry: false })?.isFile(),
  );
  return (
    absent.length > 0 &&
    `${absent.length} of ${frames.length} frames are missing, the first ${absent[0]?.file}`
  );
}
