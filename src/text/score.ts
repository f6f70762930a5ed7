/** @file `superstim score` as a library function: what a text does to units, position by position. */
import { UsageError } from '../core/errors.js';
import { field } from '../core/field.js';
import { eventClock, type Run } from '../runs/events.js';
import { openSubject, type TextSubject } from './lm/subject.js';
import { ablationDivergence } from './readouts/ablation.js';
import { Probe } from './readouts/probe.js';
import { calibrate, resolveUnits, type SessionOptions } from './readouts/session.js';

export interface UnitScore {
  unit: string;
  /** A number a position. */
  raw: number[];
  /** Sigmas a position; null at position 0, which never counts. */
  z: (number | null)[];
  /** Where z is largest. */
  peak: { position: number; raw: number; z: number };
  margin: number | null;
  rank: number | null;
  /** KL at the output, nats a position, when the unit is put to its mean; where it was asked for. */
  ablation?: number[];
}

export interface ScoreResult {
  model: string;
  /** As each token continues the text; BOS first. */
  tokens: string[];
  token_ids: number[];
  /** ln p(token | tokens before), nats; null for BOS. */
  logprobs: (number | null)[];
  /** Nats a token. */
  cross_entropy: number;
  units: UnitScore[];
}

export interface ScoreOptions extends SessionOptions {
  readonly text: string;
  readonly units: readonly string[];
  /** Also measure what the predictions lose without each unit. */
  readonly ablate?: boolean;
}

/** Finds out what is wrong with a request before anything is computed; throws what `scoreText` does. */
export function checkScore(options: ScoreOptions): void {
  encodeText(openSubject(options.model, options.engine), options.text);
  for (const name of options.units) resolveUnits(name, options);
}

/**
 * Scores one text for units, each against its own reference class.
 *
 * @throws UsageError for an empty text, one longer than the context, or units the model lacks
 */
export async function* scoreText(options: ScoreOptions): Run<ScoreResult> {
  const { model, text, at } = options;
  const subject = openSubject(model, options.engine);
  const event = eventClock();
  const ids = encodeText(subject, text);
  const resolved = options.units.map((name) => resolveUnits(name, options));
  yield event({ kind: 'started', task: 'score', unit: options.units.join(' '), method: null });
  const calibration = yield* calibrate(options, event);

  const units: UnitScore[] = [];
  let logProbs: number[] = [];
  for (const { objective, reference } of resolved) {
    const probe = await Probe.create({ subject, objective, reference, calibration, at });
    const details = await probe.details(ids);
    logProbs = Array.from(details.logProbs);
    const raw = Array.from(details.raw);
    const z = Array.from(details.z, (value, position) => (position === 0 ? null : value));
    const position = z.reduce<number>(
      (best, value, i) => (value !== null && value > (z[best] ?? Number.NEGATIVE_INFINITY) ? i : best),
      1,
    );
    const peak = { position, raw: raw[position]!, z: z[position]! };
    const score: UnitScore = {
      unit: objective.name,
      raw,
      z,
      peak,
      margin: details.margin,
      rank: details.rank,
    };
    if (options.ablate)
      score.ablation = Array.from(await ablationDivergence({ subject, objective, calibration }, ids));
    units.push(score);
  }
  yield* calibration.takeWarnings().map(event);
  return {
    model: model.name,
    tokens: Array.from(ids, (id) => model.tokenizer.tokenString(id)),
    token_ids: Array.from(ids),
    logprobs: [null, ...logProbs],
    cross_entropy: -logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length,
    units,
  };
}

/**
 * Token ids of a text, BOS in front.
 *
 * @throws UsageError for an empty text, or one longer than the context
 */
export function encodeText({ tokenizer, spec }: TextSubject, text: string): Int32Array {
  if (text === '') throw new UsageError(`the text is empty: give at least one token with ${field('text')}`);
  const ids = tokenizer.encode(text);
  if (ids.length < 2)
    throw new UsageError(`the text has no token beside BOS: give at least one with ${field('text')}`);
  if (ids.length > spec.context) {
    throw new UsageError(
      `the text has ${ids.length} tokens with BOS, more than the ${spec.context} of the model's context: give a shorter one`,
    );
  }
  return Int32Array.from(ids);
}
