/** @file How a `RunView` grows with each event, within limits of memory. */
import { z } from 'zod';
import { curveIndices } from '../core/evenly.js';
import type { Explanation } from '../core/explanation.js';
import { nonDominated } from '../core/frontier.js';
import type { ScoredText } from '../core/scored-text.js';
import { scoredText } from './event-schemas.js';
import { type CandidateEvent, type FrameEvent, isOwn, type ReadEvent, type StepEvent } from './events.js';
import type { Entry, RunView, Seen, StepSamples } from './run-view.js';
import { ThinnedList } from './thinned-list.js';

/** What a view keeps. A page, a screen and a table each show far less. */
const limits = {
  /** Candidates that left the frontier; those on it are all kept. */
  beaten: 50_000,
  frames: 50_000,
  samples: 5000,
  explanations: 1000,
  warnings: 1000,
  /** Metrics, and values of each. */
  metrics: 200,
  values: 50_000,
  baselines: 10,
} as const;

/** New candidates that are sorted at once. */
const BATCH = 100_000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface GrowingSeries {
  steps: number[];
  values: number[];
  seen: number;
}

/**
 * The view after more events. What did not change keeps its identity, so that drawings of it can be kept.
 *
 * @param events - also as they are read: each is looked at once and let go
 */
export function advanceView(view: RunView, events: Iterable<ReadEvent>): RunView {
  const growth = new ViewGrowth(view);
  for (const event of events) growth.add(event);
  return growth.view();
}

/** One step of growth: events in, the next view out. Lists are copied when something comes to them. */
class ViewGrowth {
  private readonly next: Mutable<Omit<RunView, 'seen'>> & { readonly seen: Mutable<Seen> };
  private entries: Entry[] = [];
  private frames: ThinnedList<FrameEvent> | null = null;
  private samples: ThinnedList<StepSamples> | null = null;
  private series: Map<string, GrowingSeries> | null = null;
  private explanations: Map<string, Explanation> | null = null;
  private lastStep = 0;

  constructor(private readonly before: RunView) {
    this.next = { ...before, seen: { ...before.seen } };
    for (const { steps } of before.series.values())
      this.lastStep = Math.max(this.lastStep, steps.at(-1) ?? 0);
  }

  add(event: ReadEvent): void {
    const { next } = this;
    next.at = event.at;
    next.events++;
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
        if (isOwn(event.source)) this.addEntry(entryOf(event));
        break;
      case 'baseline':
        if (next.baselines.size < limits.baselines)
          next.baselines = new Map(next.baselines).set(event.name, event.candidate);
        break;
      case 'explained':
        this.addExplanation(event.explanation);
        break;
      case 'frame':
        this.frames ??= new ThinnedList(this.before.frames, next.seen.frames, limits.frames);
        this.frames.push(event);
        break;
      case 'step':
        if (isOwn(event.source)) this.addStep(event);
        break;
      case 'warning':
        this.addWarning(event.message);
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

  view(): RunView {
    const { next, before } = this;
    if (next.events === before.events) return before;
    if (this.entries.length > 0) this.sortEntries();
    if (this.frames) {
      next.frames = this.frames.items;
      next.seen.frames = this.frames.seen;
    }
    if (this.samples) {
      next.samples = this.samples.items;
      next.seen.samples = this.samples.seen;
    }
    if (this.series) next.series = this.series;
    if (this.explanations) next.explanations = this.explanations;
    // What the search reports as its frontier has the last word: rivals held out, and older logs without sources.
    const final = next.end !== before.end ? resultFrontier(next) : null;
    return final ? { ...next, frontier: final } : next;
  }

  private addEntry(entry: Entry): void {
    this.entries.push(entry);
    this.next.seen.entries++;
    // A frontier that grows is sorted again when it has doubled: n log n in all.
    if (this.entries.length >= Math.max(BATCH, this.next.frontier.length)) this.sortEntries();
  }

  /** Takes the new candidates into the frontier, and thins out those that left it. */
  private sortEntries(): void {
    const { next } = this;
    next.frontier = nonDominated([...next.frontier, ...this.entries]);
    const entries = [...next.entries, ...this.entries];
    this.entries = [];
    next.entries = entries;
    if (entries.length - next.frontier.length < 2 * limits.beaten) return;
    const members = new Set(next.frontier);
    const stride = Math.ceil((entries.length - members.size) / limits.beaten);
    let beaten = 0;
    next.entries = entries.filter((entry) => members.has(entry) || beaten++ % stride === 0);
  }

  private addExplanation(explanation: Explanation): void {
    this.explanations ??= new Map(this.before.explanations);
    const known = this.explanations.delete(explanation.text);
    if (!known) this.next.seen.explanations++;
    this.explanations.set(explanation.text, explanation);
    if (this.explanations.size <= limits.explanations) return;
    const [oldest] = this.explanations.keys();
    this.explanations.delete(oldest!);
  }

  private addWarning(message: string): void {
    const { next, before } = this;
    next.seen.warnings++;
    if (next.warnings.length >= limits.warnings) return;
    if (next.warnings === before.warnings) next.warnings = [...before.warnings];
    (next.warnings as string[]).push(message);
  }

  private addStep({ step, at, metrics, samples = [] }: StepEvent): void {
    const { before, next } = this;
    // Earlier versions, when they resumed a tuning after a kill, logged once more the steps since its last checkpoint.
    if (next.task === 'tune' && step <= this.lastStep) return;
    this.lastStep = step;
    if (samples.length > 0) {
      this.samples ??= new ThinnedList(before.samples, next.seen.samples, limits.samples);
      this.samples.push({ step, at, texts: samples });
    }
    this.series ??= new Map(
      [...before.series].map(([name, { steps, values, seen }]) => [
        name,
        { steps: [...steps], values: [...values], seen },
      ]),
    );
    for (const [name, value] of Object.entries(metrics)) {
      if (!Number.isFinite(value)) continue;
      const own = this.series.get(name) ?? this.newSeries(this.series, name);
      if (own) addValue(own, step, value);
    }
  }

  /** Null where there are too many already. */
  private newSeries(series: Map<string, GrowingSeries>, name: string): GrowingSeries | null {
    this.next.seen.figures++;
    if (series.size >= limits.metrics) return null;
    const own = { steps: [], values: [], seen: 0 };
    series.set(name, own);
    return own;
  }
}

/** Field by field: of a million candidates a spread takes a second or two more. */
function entryOf({ candidate, at, operator }: CandidateEvent): Entry {
  const { text, token_ids, cross_entropy, raw, z, margin, rank, held_out } = candidate;
  const entry = { text, token_ids, cross_entropy, raw, z, margin, rank, at, operator };
  return held_out ? { ...entry, held_out } : entry;
}

function addValue(own: GrowingSeries, step: number, value: number): void {
  own.steps.push(step);
  own.values.push(value);
  own.seen++;
  if (own.values.length < 2 * limits.values) return;
  const kept = curveIndices(own.values, limits.values);
  const { steps, values } = own;
  own.steps = kept.map((i) => steps[i]!);
  own.values = kept.map((i) => values[i]!);
}

const results = z.object({ frontier: z.array(scoredText).min(1) });

/** The frontier of the result, with what the events know of its members; null where the result has none. */
function resultFrontier({ end, entries }: Pick<RunView, 'end' | 'entries'>): Entry[] | null {
  const members = end?.kind === 'finished' ? results.safeParse(end.result).data?.frontier : undefined;
  if (!members) return null;
  const wanted = new Set(members.map(({ text }) => text));
  const known = new Map<string, Entry>();
  for (const entry of entries) if (wanted.has(entry.text)) known.set(entry.text, entry);
  return members
    .map((member: ScoredText): Entry => ({ at: end!.at, operator: '', ...known.get(member.text), ...member }))
    .sort((a, b) => a.cross_entropy - b.cross_entropy || b.z - a.z);
}
