/** @file The runs of a folder: what each was about and how it stands, without reading it whole. */
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeDescription, unitOf } from '../runs/description.js';
import { decodeEvent } from '../runs/event-codec.js';
import type { JsonValue } from '../runs/events.js';
import { field } from '../runs/run-view.js';

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
  const log = statSync(join(path, 'events.jsonl'), { throwIfNoEntry: false });
  const described = statSync(join(path, 'run.json'), { throwIfNoEntry: false });
  if (!log && !described) return null;
  const description = decodeDescription(readJson(join(path, 'run.json')));
  const written = (log ?? described)!.mtimeMs;
  const end = log ? readEnd(join(path, 'events.jsonl')) : null;
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
function readLastLine(file: string): string {
  const log = openSync(file, 'r');
  try {
    const { size } = fstatSync(log);
    const start = lineStart(log, size - 1);
    const line = Buffer.alloc(Math.min(LAST_EVENT_BYTES, size - start));
    readSync(log, line, 0, line.length, start);
    return line.toString('utf8');
  } finally {
    closeSync(log);
  }
}

/** Where the line begins that ends at `end`. */
function lineStart(log: number, end: number): number {
  for (let stop = end; stop > 0; ) {
    const piece = Buffer.alloc(Math.min(LAST_EVENT_BYTES, stop));
    readSync(log, piece, 0, piece.length, stop - piece.length);
    const newline = piece.lastIndexOf(0x0a);
    stop -= piece.length;
    if (newline >= 0) return stop + newline + 1;
  }
  return 0;
}

function bestOf(path: string, result: JsonValue): number | null {
  const frontier = readJson(join(path, 'frontier.json'));
  if (Array.isArray(frontier)) {
    const values = frontier.map((text) => field(text, 'z')).filter((z) => typeof z === 'number');
    if (values.length > 0) return values.reduce((a, b) => Math.max(a, b));
  }
  const final = field(field(result, 'activation'), 'final') ?? field(result, 'reward');
  return typeof final === 'number' ? final : null;
}

function readJson(file: string): JsonValue {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as JsonValue;
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
