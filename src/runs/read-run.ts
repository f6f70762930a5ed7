/**
 * @file Reads a run folder: finished, still growing, killed half-way, or written by a newer version. What is not
 * there is said, not thrown.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { evenly } from '../core/evenly.js';
import { formatCount } from '../core/format.js';
import { readRegularFile, regularSize } from '../core/regular-file.js';
import type { ScoredText } from '../core/scored-text.js';
import { decodeDescription, type RunDescription } from './description.js';
import { scoredText } from './event-schemas.js';
import type { FrameEvent, ReadEvent } from './events.js';
import { runFile } from './run-file.js';
import { type RunState, RunTail } from './run-tail.js';
import { emptyView, type RunView } from './run-view.js';
import { advanceView } from './view-growth.js';

/** What a run folder holds beside its events. */
export interface RunFacts {
  path: string;
  description: RunDescription | null;
  state: RunState;
  /** `frontier.json`; null when it is not there (yet). */
  frontier: ScoredText[] | null;
  /** Time of the last write, milliseconds since 1970: distinguishes an active run from one that was killed. */
  lastWrite: number | null;
  /** Everything that is absent or damaged; empty when all is there. */
  missing: Missing[];
}

/** All that a run folder holds at one moment. */
export interface RunReading extends RunFacts {
  events: ReadEvent[];
}

/** A run folder at one moment, its events added up. */
export interface ViewedRun extends RunFacts {
  view: RunView;
}

/** Something that a run folder should have. */
export interface Missing {
  /** `end` = no last event; `settings`, `log`, `frontier` and `frames` name what is absent or damaged. */
  readonly code: 'settings' | 'log' | 'end' | 'frontier' | 'frames';
  readonly sentence: string;
}

/** Bytes of `run.json` and `frontier.json` that are read. */
const LONGEST_FILE = 64 * 1024 ** 2;
/** Frames that are looked for on disk, of the first to the last. */
const FRAMES_LOOKED_FOR = 1000;

/**
 * Reads the whole folder, every event included: for runs of which all of that fits into memory (`viewRun`).
 *
 * @throws UserError when it is no run folder at all
 */
export function readRun(path: string): RunReading {
  const tail = new RunTail(path);
  const events = [...tail.poll()];
  const frames = events.filter((event): event is FrameEvent => event.kind === 'frame');
  const hasCandidates = events.some((event) => event.kind === 'candidate');
  return { ...readFacts(path, tail, { events: events.length, hasCandidates, frames }), events };
}

/**
 * Reads the folder of a run of any length; of what no one can see in full, a part (`RunView`).
 *
 * @param tail - reads the log, and can continue to read it where this ends
 * @param before - the view of what `tail` has read already
 * @throws UserError when it is no run folder at all
 */
export function viewRun(path: string, tail = new RunTail(path), before = emptyView): ViewedRun {
  const view = advanceView(before, tail.poll());
  const { events, entries, frames } = view;
  const facts = readFacts(path, tail, { events, hasCandidates: entries.length > 0, frames });
  return {
    ...facts,
    view: facts.frontier && view.frontier.length === 0 ? asKept(view, facts.frontier) : view,
  };
}

/** The frontier file counts where the log lost its candidates. */
const asKept = (view: RunView, frontier: readonly ScoredText[]): RunView => ({
  ...view,
  frontier: frontier.map((text) => ({ at: view.at, operator: '', ...text })),
});

/** @param log - what was read from the log */
function readFacts(
  path: string,
  tail: RunTail,
  log: {
    readonly events: number;
    readonly hasCandidates: boolean;
    readonly frames: readonly FrameEvent[];
  },
): RunFacts {
  const description = readJson(path, 'run.json', decodeDescription);
  const frontier = readJson(path, 'frontier.json', (value) => z.array(scoredText).safeParse(value).data);
  const missing: (Missing | null)[] = [
    missed(
      'settings',
      description.problem && `run.json ${description.problem}: the settings of this run are not known`,
    ),
    ...tail.problems().map((sentence) => missed('log', sentence)),
    missed(
      'end',
      tail.state === 'open' && log.events > 0 && 'the run has no last event: it is still going or was killed',
    ),
    missed(
      'frontier',
      tail.state !== 'open' && log.hasCandidates && frontier.problem && `frontier.json ${frontier.problem}`,
    ),
    missed('frames', missingFrames(path, log.frames)),
  ];
  return {
    path: resolve(path),
    description: description.value,
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

/** @param sentence - false, null or empty where nothing is missing */
function missed(code: Missing['code'], sentence: string | false | null): Missing | null {
  return sentence ? { code, sentence } : null;
}

function readJson<T>(
  run: string,
  name: string,
  decode: (value: unknown) => T | null | undefined,
): { value: T | null; problem: string | null } {
  try {
    const file = runFile(run, name);
    if (!existsSync(file)) return { value: null, problem: 'is missing' };
    const value = decode(JSON.parse(readRegularFile(file, LONGEST_FILE).toString('utf8'))) ?? null;
    return { value, problem: value === null ? 'is not what it should be' : null };
  } catch (error) {
    const why = error instanceof UserError ? ` (${error.message})` : '';
    return { value: null, problem: `cannot be read${why}` };
  }
}

function missingFrames(run: string, frames: readonly FrameEvent[]): string | false {
  const looked = evenly(frames, FRAMES_LOOKED_FOR);
  const absent = looked.filter(({ file }) => !isThere(run, file));
  const count = looked.length < frames.length ? `${formatCount(looked.length)} looked for` : looked.length;
  return absent.length > 0 && `${absent.length} of ${count} frames are missing, the first ${absent[0]?.file}`;
}

function isThere(run: string, file: string): boolean {
  try {
    return regularSize(runFile(run, file)) !== null;
  } catch {
    return false;
  }
}
