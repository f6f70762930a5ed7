/** @file The runs of a folder: what each was about and how it stands, without reading it whole. */
import { closeSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { openRegular, readRegularFile } from '../core/regular-file.js';
import { decodeDescription, unitOf } from '../runs/description.js';
import { decodeEvent } from '../runs/event-codec.js';
import type { JsonValue } from '../runs/events.js';
import { lineBefore } from '../runs/last-line.js';
import { runFile } from '../runs/run-file.js';
import { jsonField } from '../runs/run-view.js';

export interface RunSummary {
  readonly path: string;
  readonly name: string;
  readonly task: string;
  readonly unit: string;
  readonly model: string;
  /** The method of a search. */
  readonly method: string;
  readonly state: 'running' | 'done' | 'interrupted' | 'failed' | 'no end' | 'empty';
  /** Milliseconds since 1970, of the last write. */
  readonly written: number;
  /** The strongest text in sigmas, or the final activation or reward; null while it is not known. */
  readonly best: number | null;
}

export const runOrders = ['newest', 'unit', 'model', 'best', 'state'] as const;
export type RunOrder = (typeof runOrders)[number];

/** A last event that is longer is not read: it holds a whole frontier. */
const LAST_EVENT_BYTES = 256 * 1024;
/** Bytes of `run.json` and `frontier.json` that are read for a line of the list. */
const LONGEST_FILE = 16 * 1024 ** 2;
const RUNNING_WITHIN = 60_000;

/** Every run folder in `parent`, none when there is no such folder. */
export function listRuns(parent: string): RunSummary[] {
  let names: string[];
  try {
    names = readdirSync(parent);
  } catch {
    return [];
  }
  return names.flatMap((name) => summarize(join(parent, name), name) ?? []);
}

function summarize(path: string, name: string): RunSummary | null {
  const log = fileOf(path, 'events.jsonl');
  const described = fileOf(path, 'run.json');
  if (!log && !described) return null;
  const description = decodeDescription(readJson(described));
  const written = (log ?? described)!.written;
  const end = log ? readEnd(log.file) : null;
  const state =
    !log || log.size === 0
      ? 'empty'
      : (end?.state ?? (Date.now() - written < RUNNING_WITHIN ? 'running' : 'no end'));
  const word = (value: unknown, otherwise = '') => (typeof value === 'string' ? value : otherwise);
  return {
    path,
    name,
    task: description?.job.task ?? '?',
    unit: (description && unitOf(description)) ?? '',
    model: description?.model?.name ?? '',
    method: word(description?.job.method),
    state,
    written,
    best: bestOf(path, end?.result ?? null),
  };
}

/** How a log ends; null when its last event is none of an end. */
function readEnd(file: string): { state: 'done' | 'interrupted' | 'failed'; result: JsonValue } | null {
  const line = readLastLine(file);
  const kind = /^\{"kind":"(finished|failed)"/.exec(line)?.[1];
  if (kind === undefined) return null;
  if (kind === 'failed') return { state: 'failed', result: null };
  const event = decodeEvent(line);
  const reason = event?.kind === 'finished' ? event.reason : /"reason":"(\w+)"/.exec(line)?.[1];
  return {
    state: reason === 'interrupted' ? 'interrupted' : 'done',
    result: event?.kind === 'finished' ? event.result : null,
  };
}

/** The last line; of a very long one its start. */
function readLastLine(path: string): string {
  const { file, size } = openRegular(path);
  try {
    return lineBefore(file, size - 1, LAST_EVENT_BYTES);
  } finally {
    closeSync(file);
  }
}

/** A file of a run; null when it is not there, is no file, or is outside of the folder. */
function fileOf(run: string, name: string): { file: string; size: number; written: number } | null {
  try {
    const file = runFile(run, name);
    const stats = statSync(file);
    return stats.isFile() ? { file, size: stats.size, written: stats.mtimeMs } : null;
  } catch {
    return null;
  }
}

function bestOf(path: string, result: JsonValue): number | null {
  const frontier = readJson(fileOf(path, 'frontier.json'));
  if (Array.isArray(frontier)) {
    const values = frontier.map((text) => jsonField(text, 'z')).filter((z) => typeof z === 'number');
    if (values.length > 0) return values.reduce((a, b) => Math.max(a, b));
  }
  const final = jsonField(jsonField(result, 'activation'), 'final') ?? jsonField(result, 'reward');
  return typeof final === 'number' ? final : null;
}

function readJson(found: { readonly file: string } | null): JsonValue {
  if (!found) return null;
  try {
    return JSON.parse(readRegularFile(found.file, LONGEST_FILE).toString('utf8')) as JsonValue;
  } catch {
    return null;
  }
}

/** The runs that have every word of the filter in them, in an order. */
export function selectRuns(runs: readonly RunSummary[], filter: string, order: RunOrder): RunSummary[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const text = ({ name, task, unit, model, method, state }: RunSummary) =>
    `${name} ${task} ${unit} ${model} ${method} ${state}`.toLowerCase();
  const byText = (key: 'unit' | 'model' | 'state') => (a: RunSummary, b: RunSummary) =>
    a[key].localeCompare(b[key], 'en', { numeric: true }) || b.written - a.written;
  const orders: Record<RunOrder, (a: RunSummary, b: RunSummary) => number> = {
    newest: (a, b) => b.written - a.written,
    unit: byText('unit'),
    model: byText('model'),
    state: byText('state'),
    best: (a, b) => (b.best ?? Number.NEGATIVE_INFINITY) - (a.best ?? Number.NEGATIVE_INFINITY),
  };
  return runs.filter((run) => words.every((word) => text(run).includes(word))).sort(orders[order]);
}
