/**
 * @file What a run's events add up to for someone who looks at it: pure, and the same live and from disk. Of lists that
 * nobody can see in full it keeps a part (`seen` says of how many), so that it fits into memory however long the run is.
 */
import type { Explanation } from '../core/explanation.js';
import { formatCount } from '../core/format.js';
import { own } from '../core/own.js';
import type { ScoredText } from '../core/scored-text.js';
import type {
  CalibratedEvent,
  FailedEvent,
  FinishedEvent,
  FrameEvent,
  JsonValue,
  ProgressEvent,
} from './events.js';

/** A candidate, when it came and what made it. */
export interface Entry extends ScoredText {
  /** Seconds since the start. */
  readonly at: number;
  readonly operator: string;
}

/** A figure over the steps of a run; of a long one the lowest and highest of each stretch. */
export interface Series {
  readonly steps: readonly number[];
  readonly values: readonly number[];
  /** Values that came. */
  readonly seen: number;
}

/** Texts that a training step was made from. */
export interface StepSamples {
  readonly step: number;
  /** Seconds since the start. */
  readonly at: number;
  readonly texts: readonly ScoredText[];
}

/** How many of each came; those that were not kept are only in the log. */
export interface Seen {
  readonly entries: number;
  readonly explanations: number;
  readonly frames: number;
  readonly samples: number;
  readonly figures: number;
  readonly warnings: number;
}

export interface RunView {
  readonly task: string;
  readonly unit: string | null;
  readonly method: string | null;
  readonly calibrated: CalibratedEvent | null;
  /** The last word on progress. */
  readonly progress: ProgressEvent | null;
  /** What entered the frontier of the run's own, in the order of events; of very many that left it again, some. */
  readonly entries: readonly Entry[];
  /** By rising cross entropy; whole. */
  readonly frontier: readonly Entry[];
  /** `prior_best`, `corpus_best`; null = nothing was found. */
  readonly baselines: ReadonlyMap<string, ScoredText | null>;
  /** By text; of very many the last ones. */
  readonly explanations: ReadonlyMap<string, Explanation>;
  /** Of very many some, evenly, the last always. */
  readonly frames: readonly FrameEvent[];
  /** A few texts of each training step that showed any; of very many steps some, evenly. */
  readonly samples: readonly StepSamples[];
  /** By metric, in the order in which they appeared. */
  readonly series: ReadonlyMap<string, Series>;
  /** The first ones. */
  readonly warnings: readonly string[];
  readonly seen: Seen;
  /** How the run ended; null until then. */
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
  seen: { entries: 0, explanations: 0, frames: 0, samples: 0, figures: 0, warnings: 0 },
  end: null,
  at: 0,
  events: 0,
};

const seenNames = {
  entries: 'texts that left the frontier again',
  explanations: 'explained texts',
  frames: 'frames',
  samples: 'steps with samples',
  figures: 'figures',
  warnings: 'warnings',
} as const satisfies Record<keyof Seen, string>;

/** A sentence for each list of which the view has a part only. */
export function partsLeftOut(view: RunView): string[] {
  const kept: Seen = {
    entries: view.entries.length,
    explanations: view.explanations.size,
    frames: view.frames.length,
    samples: view.samples.length,
    figures: view.series.size,
    warnings: view.warnings.length,
  };
  return (Object.keys(seenNames) as (keyof Seen)[]).flatMap((list) => {
    const more = view.seen[list] - kept[list];
    return more > 0 ? [`${formatCount(more)} ${seenNames[list]} are not shown: events.jsonl has them`] : [];
  });
}

const baselineLabels: Readonly<Record<string, string>> = {
  prior_best: "prior's best",
  corpus_best: "corpus's best",
};

/** What a baseline is called. @param name - as in `baselines` */
export const baselineLabel = (name: string): string => own(baselineLabels, name) ?? name.replaceAll('_', ' ');

/** A field of a JSON object; null for anything else. */
export function jsonField(value: JsonValue, name: string): JsonValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return own(value, name) ?? null;
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
