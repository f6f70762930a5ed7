/**
 * @file What a long computation says while it runs: the one connection between computing and showing.
 *
 * Every long-running function is an async generator of `RunEvent`s. The run folder appends them to
 * `events.jsonl`; the progress bar, the terminal UI, the report and `--json` are readers of the same events,
 * live or replayed. Events are plain JSON: a number that is not finite is written as null, `undefined` not at
 * all. Field names with two words are spelled as in the command line's JSON (`token_ids`).
 */
import type { Explanation } from '../core/explanation.js';
import { lastOf } from '../core/last-of.js';
import type { ScoredText } from '../core/scored-text.js';

export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue };

/** A value as JSON holds it: undefined fields are left out, numbers that are not finite are null. */
export const asJson = (value: unknown): JsonValue => JSON.parse(JSON.stringify(value)) as JsonValue;

/** The first event: what is about to be computed. */
export interface StartedEvent {
  kind: 'started';
  at: number;
  /** The command or library function: `text`, `image`, `tune`, `calibrate` … */
  task: string;
  /** Unit name, or null for a task about no single unit. */
  unit: string | null;
  method: string | null;
}

/** The unit's mean and standard deviation are known; from here on z means something. */
export interface CalibratedEvent {
  kind: 'calibrated';
  at: number;
  unit: string;
  mean: number;
  standard_deviation: number;
  /** Standard errors of the two, in the measure's own unit; null where the statistics came with the model. */
  mean_error: number | null;
  standard_deviation_error: number | null;
  /** Positions counted. */
  tokens: number;
  source: 'model' | 'prior' | 'corpus';
  /** True when the statistics came from disk. */
  cached: boolean;
}

/**
 * Whose event it is: `preparation` (download, calibration), `search` (what the run is about, also a scan, a render or
 * a training), or a baseline at equal cost. `unstated` is read from logs that older versions wrote.
 */
export type EventSource = 'preparation' | 'search' | 'prior_best' | 'corpus_best' | 'unstated';

/** Whether an event is the run's own, not a baseline's or of the preparation. */
export const isOwn = (source: EventSource): boolean => source === 'search' || source === 'unstated';

/** How much of a named budget is spent. Later ones replace earlier ones of the same budget. */
export interface ProgressEvent {
  kind: 'progress';
  at: number;
  source: EventSource;
  /** What is counted: `evaluations`, `seconds`, `steps`, `tokens`, `bytes`. */
  budget: string;
  done: number;
  /** Null when the end is not known. */
  total: number | null;
  /** Units of `rate_unit` a second, over the last moments; null before there is any. */
  rate: number | null;
  /** What the rate counts, which may differ from the budget: `evaluations`, `tokens`, `bytes`. */
  rate_unit: string;
  seconds_left: number | null;
  /** A few words on the phase: `calibrating on samples of the prior`. */
  note?: string;
}

/** A sequence entered the frontier of its source. */
export interface CandidateEvent {
  kind: 'candidate';
  at: number;
  source: EventSource;
  candidate: ScoredText;
  /** What made it: `prior`, `swap`, `gradient`, `regenerate`, `corpus` … */
  operator: string;
}

/** Evidence for one of the finalists. */
export interface ExplainedEvent {
  kind: 'explained';
  at: number;
  explanation: Explanation;
}

/** What a baseline reaches at the same cost; null when it has nothing (no corpus given). */
export interface BaselineEvent {
  kind: 'baseline';
  at: number;
  /** `prior_best` or `corpus_best`. */
  name: string;
  candidate: ScoredText | null;
}

/** A picture on its way: `file` is relative to the run folder. */
export interface FrameEvent {
  kind: 'frame';
  at: number;
  file: string;
  step: number;
  activation: number;
}

/** One training step: its number and what was measured (`loss`, `reward`, `learning_rate` …). */
export interface StepEvent {
  kind: 'step';
  at: number;
  source: EventSource;
  step: number;
  metrics: Record<string, number>;
  /** A few of the texts that the step was made from. */
  samples?: ScoredText[];
}

/** Something the user should know that did not stop the computation. */
export interface WarningEvent {
  kind: 'warning';
  at: number;
  message: string;
}

/** The last event of a run that came to an end by itself or was stopped by the user. */
export interface FinishedEvent {
  kind: 'finished';
  at: number;
  reason: 'done' | 'interrupted';
  /** What `--json` prints. */
  result: JsonValue;
}

/** The last event of a run that an error ended; written by `recordRun`. */
export interface FailedEvent {
  kind: 'failed';
  at: number;
  message: string;
}

/** `at` is in seconds since the start of the run. */
export type RunEvent =
  | StartedEvent
  | CalibratedEvent
  | ProgressEvent
  | CandidateEvent
  | ExplainedEvent
  | BaselineEvent
  | FrameEvent
  | StepEvent
  | WarningEvent
  | FinishedEvent
  | FailedEvent;

/** An event of a kind this version does not know, kept whole. */
export interface UnknownEvent {
  kind: 'unknown';
  at: number;
  event: Record<string, JsonValue>;
}

/** What a reader meets: events of today, and whatever a newer version may have added. */
export type ReadEvent = RunEvent | UnknownEvent;

/** A long computation: events while it runs, a result at the end. */
export type Run<Result = void> = AsyncGenerator<RunEvent, Result, void>;

/** An event before it is given its time. */
export type EventBody = RunEvent extends infer Event
  ? Event extends RunEvent
    ? Omit<Event, 'at'>
    : never
  : never;

/** The last event of a run that keeps what it has when its signal stops it. */
export const finishedEvent = (result: object, signal: AbortSignal | undefined): EventBody => ({
  kind: 'finished',
  reason: signal?.aborted ? 'interrupted' : 'done',
  result: asJson(result),
});

/**
 * Starts the clock of a run and returns the function that stamps events with it:
 * `const event = eventClock(); yield event({ kind: 'warning', message });`
 *
 * @param startedAt - seconds already spent, for a run that is continued
 */
export function eventClock(startedAt = 0): (body: EventBody) => RunEvent {
  const start = performance.now() - startedAt * 1000;
  return (body) => {
    const at = Math.round(performance.now() - start) / 1000;
    const { kind, ...rest } = body;
    return { kind, at, ...rest } as RunEvent;
  };
}

/** Gives the events of a part of a run their time. */
export async function* stamped<T>(
  bodies: AsyncGenerator<EventBody, T, void>,
  event: ReturnType<typeof eventClock>,
): Run<T> {
  try {
    for (;;) {
      const next = await bodies.next();
      if (next.done) return next.value;
      yield event(next.value);
    }
  } finally {
    // If the consumer stops, the part stops too.
    await bodies.return(undefined as T);
  }
}

/** Runs a computation to its end for its result alone; `onEvent` sees every event. */
export function finishRun<Result>(
  run: AsyncGenerator<RunEvent, Result, void>,
  onEvent?: (event: RunEvent) => void,
): Promise<Result> {
  return lastOf(run, onEvent);
}
