/** @file A run as the report takes it: the folder read once, its events added up. */
import { basename, dirname, resolve, sep } from 'node:path';
import { type RunDescription, unitOf } from '../runs/description.js';
import type { JsonValue } from '../runs/events.js';
import { viewRun } from '../runs/read-run.js';
import type { RunState } from '../runs/run-tail.js';
import type { RunView } from '../runs/run-view.js';

export interface ReportedRun {
  readonly path: string;
  /** The folder's name. */
  readonly name: string;
  readonly description: RunDescription | null;
  readonly view: RunView;
  readonly state: RunState;
  /** One sentence for everything that is absent or damaged. */
  readonly missing: readonly string[];
  /** `--json` of the run, where it came to an end. */
  readonly result: JsonValue;
}

/** Reads a run folder, whole or damaged. Throws UserError when it is none at all. */
export function openRun(path: string): ReportedRun {
  const { description, view, state, missing } = viewRun(path);
  return {
    path: resolve(path),
    name: basename(resolve(path)),
    description,
    view,
    state,
    missing: missing.map(({ sentence }) => sentence),
    result: view.end?.kind === 'finished' ? view.end.result : null,
  };
}

/** `text` | `image` | `tune` …; empty for a run of which nothing is known. */
export function taskLabel({ description, view }: ReportedRun): string {
  return description?.job.task ?? view.task;
}

export function unitLabel({ description, view }: ReportedRun): string {
  return (description && unitOf(description)) ?? view.unit ?? 'unknown unit';
}

/** The folder that all of some paths lie in. */
export function commonFolder(paths: readonly string[]): string {
  const [first, ...others] = paths.map((path) => dirname(resolve(path)).split(sep));
  const differs = first!.findIndex((part, i) => others.some((other) => other[i] !== part));
  return resolve(sep, ...(differs < 0 ? first! : first!.slice(0, differs)));
}
