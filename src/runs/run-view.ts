/** @file What a run's events add up to for someone who looks at it: pure, and the same live and from disk. */

import type { Explanation } from '../core/explanation.js';
import { nonDominated } from '../core/frontier.js';
import type { ScoredText } from '../core/scored-text.js';
import {
  type CalibratedEvent,
  type FailedEvent,
  type FinishedEvent,
  type FrameEvent,
  isOwn,
  type JsonValue,
  type ProgressEvent,
  type ReadEvent,
  type StepEvent,
} from './events.js';

/** A candidate, when it came and what made it. */
export interface Entry extends ScoredText {
  /** Seconds since the start. */
  readonly at: number;
  readonly operator: string;
}

/** A figure over the steps of a run. */
export interface Series {
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/** Texts that a training step was made from. */
export interface StepSamples {
  readonly step: number;
  /** Seconds since the start. */
  readonly at: number;
  readonly texts: readonly ScoredText[];
}

export interface RunView {
  readonly task: string;
  readonly unit: string | null;
  readonly method: string | null;
  readonly calibrated: CalibratedEvent | null;
  /** The last word on progress. */
  readonly progress: ProgressEvent | null;
  /** Every candidate of the run's own that ever entered the frontier, in the order of events. */
  readonly entries: readonly Entry[];
  /** By rising cross entropy. */
  readonly frontier: readonly Entry[];
  /** `prior_best`, `corpus_best`; null = nothing was found. */
  readonly baselines: ReadonlyMap<string, ScoredText | null>;
  /** By text. */
  readonly explanations: ReadonlyMap<string, Explanation>;
  readonly frames: readonly FrameEvent[];
  /** A few texts of each training step that showed any. */
  readonly samples: readonly StepSamples[];
  /** By metric, in the order in which they appeared. */
  readonly series: ReadonlyMap<string, Series>;
  readonly warnings: readonly string[];
  /** How the run ended; null while it goes on. */
  readonly end: FinishedEvent | FailedEvent | null;
  /** Seconds since the start, by the last event. */
  readonly at: number;
  readonly events: number;
}

export const emptyView: RunView = {
  task: '',
  unit: null,
  method: null,
  calibrated: null,
  progress: null,
  entries: [],
  frontier: [],
  baselines: new Map(),
  explanations: new Map(),
  frames: [],
  samples: [],
  series: new Map(),
  warnings: [],
  end: null,
  at: 0,
  events: 0,
};

/**
 * The view after more events; what an event lacks that everyone who looks at it relies on is left out. What did not change keeps its identity, so that drawings
 * of it can be kept.
 */
export function advanceView(view: RunView, events: readonly ReadEvent[]): RunView {
  if (events.length === 0) return view;
  const next = { ...view, at: events.at(-1)!.at, events: view.events + events.length };
  const entries: Entry[] = [];
  const frames: FrameEvent[] = [];
  const steps: StepEvent[] = [];
  for (const event of events) {
    if (event.kind !== 'finished' && event.kind !== 'failed') next.end = null; // a run that was continued
    switch (event.kind) {
      case 'started':
        Object.assign(next, { task: event.task, unit: event.unit, method: event.method });
        break;
      case 'calibrated':
        next.calibrated = event;
        break;
      case 'progress':
        next.progress = event;
        break;
      case 'candidate':
        if (isOwn(event.source) && isScoredText(event.candidate))
          entries.push({ ...event.candidate, at: event.at, operator: event.operator });
        break;
      case 'baseline':
        next.baselines = new Map(next.baselines).set(
          event.name,
          isScoredText(event.candidate) ? event.candidate : null,
        );
        break;
      case 'explained':
        if (isExplanation(event.explanation))
          next.explanations = new Map(next.explanations).set(event.explanation.text, event.explanation);
        break;
      case 'frame':
        // A number that was not finite is null in the log.
        frames.push({ ...event, activation: event.activation ?? Number.NaN });
        break;
      case 'step':
        if (isOwn(event.source) && !isRepeated(next, steps, event)) steps.push(event);
        break;
      case 'warning':
        next.warnings = [...next.warnings, event.message];
        break;
      case 'finished':
      case 'failed':
        next.end = event;
        break;
      case 'unknown':
        break;
      default:
        event satisfies never;
    }
  }
  if (entries.length > 0) {
    next.entries = [...view.entries, ...entries];
    next.frontier = nonDominated([...view.frontier, ...entries]);
  }
  if (frames.length > 0) next.frames = [...view.frames, ...frames];
  if (steps.length > 0) {
    next.series = extendSeries(view.series, steps);
    next.samples = [...view.samples, ...steps.flatMap(samplesOf)];
  }
  // What the search reports as its frontier has the last word: rivals held out, and older logs without sources.
  const final = next.end !== view.end ? resultFrontier(next) : null;
  return final ? { ...next, frontier: final } : next;
}

/** Earlier versions, when they resumed a tuning after a kill, logged once more the steps since its last checkpoint. */
function isRepeated({ task, series }: RunView, fresh: readonly StepEvent[], { step }: StepEvent): boolean {
  if (task !== 'tune') return false;
  const last =
    fresh.at(-1)?.step ?? Math.max(0, ...[...series.values()].map(({ steps }) => steps.at(-1) ?? 0));
  return step <= last;
}

function samplesOf({ step, at, samples = [] }: StepEvent): StepSamples[] {
  return samples.length === 0 ? [] : [{ step, at, texts: samples }];
}

function byCrossEntropy(entries: Entry[]): Entry[] {
  return entries.sort((a, b) => a.cross_entropy - b.cross_entropy || b.z - a.z);
}

function extendSeries(
  series: ReadonlyMap<string, Series>,
  steps: readonly StepEvent[],
): ReadonlyMap<string, Series> {
  const grown = new Map<string, { steps: number[]; values: number[] }>();
  for (const [name, { steps, values }] of series) grown.set(name, { steps: [...steps], values: [...values] });
  for (const { step, metrics } of steps) {
    for (const [name, value] of Object.entries(metrics)) {
      if (typeof value !== 'number' || !Number.isFinite(value)) continue;
      const own = grown.get(name) ?? { steps: [], values: [] };
      own.steps.push(step);
      own.values.push(value);
      grown.set(name, own);
    }
  }
  return grown;
}

/** The frontier of the result, with what the events know of its members; null where the result has none. */
function resultFrontier({ end, entries }: RunView): Entry[] | null {
  const frontier = end?.kind === 'finished' ? field(end.result, 'frontier') : null;
  if (!Array.isArray(frontier) || frontier.length === 0) return null;
  const known = new Map(entries.map((entry) => [entry.token_ids.join(), entry]));
  const members = (frontier as unknown[]).filter(isScoredText);
  if (members.length < frontier.length) return null;
  return byCrossEntropy(
    members.map((text) => ({ at: end!.at, operator: '', ...known.get(text.token_ids.join()), ...text })),
  );
}

/** A field of a JSON object; null for anything else. */
export function field(value: JsonValue, name: string): JsonValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value[name] ?? null) : null;
}

function isScoredText(value: unknown): value is ScoredText {
  const { text, token_ids, cross_entropy, z } = (value ?? {}) as Partial<ScoredText>;
  return (
    typeof text === 'string' &&
    Array.isArray(token_ids) &&
    typeof cross_entropy === 'number' &&
    typeof z === 'number'
  );
}

function isExplanation(value: Partial<Explanation>): value is Explanation {
  const { text, tokens, logprobs, z, rivals, substitutions, peak, score, cross_entropy } = value;
  return (
    typeof text === 'string' &&
    [tokens, logprobs, z, rivals, substitutions].every(Array.isArray) &&
    [score, cross_entropy, peak?.position, peak?.z, peak?.raw].every((figure) => typeof figure === 'number')
  );
}

/** Orders in which candidates can be listed, the first by default. */
export const candidateOrders = ['nats', 'z', 'margin', 'newest'] as const;
export type CandidateOrder = (typeof candidateOrders)[number];

/** The candidates in an order, best first; `nats` is the order of the frontier. */
export function sortCandidates(entries: readonly Entry[], order: CandidateOrder): readonly Entry[] {
  const keys: Record<CandidateOrder, (entry: Entry) => number> = {
    nats: (entry) => entry.cross_entropy,
    z: (entry) => -entry.z,
    margin: (entry) => -(entry.margin ?? Number.NEGATIVE_INFINITY),
    newest: (entry) => -entry.at,
  };
  const key = keys[order];
  return [...entries].sort((a, b) => key(a) - key(b));
}
