/** @file `superstim score` as a library function: what a text does to units, position by position. */
import { UsageError } from '../core/errors.js';
import { field } from '../core/field.js';
import type { FrameReport } from '../core/frame-report.js';
import type { PublishedUnit } from '../core/published-unit.js';
import { eventClock, type Run } from '../runs/events.js';
import { encodeText, forText } from './lm/encode-text.js';
import { frameOf } from './lm/frame.js';
import { tailOf } from './lm/spec.js';
import { openSubject, type TextSubject } from './lm/subject.js';
import { ablationDivergence } from './readouts/ablation.js';
import type { CalibratedUnit } from './readouts/calibrated-unit.js';
import {
  type Details,
  detailsReader,
  hasRaw,
  rawReader,
  readOnce,
  type TextDetails,
} from './readouts/details.js';
import { soleReadout, type TextObjective } from './readouts/objective.js';
import { Probe } from './readouts/probe.js';
import { publishedOf } from './readouts/published.js';
import type { Readout } from './readouts/readout.js';
import {
  calibrate,
  effectGroups,
  groupsOf,
  type Resolved,
  resolveUnits,
  type Session,
} from './readouts/session.js';

/** The same whether it was counted now or found in the cache. */
export type UnitCalibration = Omit<CalibratedUnit, 'cached'>;

export interface UnitScore {
  unit: string;
  /** A number a position. */
  raw: number[];
  /** Sigmas a position; null at position 0, which never counts, and where only raw values were asked for. */
  z: (number | null)[];
  /** Where z is largest; where only raw values were asked for, these times the unit's sign. */
  peak: { position: number; raw: number; z: number | null };
  margin: number | null;
  rank: number | null;
  /** KL at the output, nats a position, when the unit is put to its mean; where it was asked for. */
  ablation?: number[];
  /** What z is counted from, a term of a sum each; none where only raw values were asked for. */
  calibration: UnitCalibration[];
  /** What Neuronpedia publishes of it; where that was asked for. */
  published?: PublishedUnit;
}

export interface ScoreResult {
  model: string;
  /** What the text stands in. */
  frame: FrameReport;
  /** As each token continues the text; first the last before it (BOS, mostly), last those that are read behind it. */
  tokens: string[];
  token_ids: number[];
  /** ln p(token | tokens before), nats; null for what is not the text's. */
  logprobs: (number | null)[];
  /** Nats a token of the text. */
  cross_entropy: number;
  units: UnitScore[];
}

export interface ScoreOptions extends Session {
  readonly text: string;
  readonly units: readonly string[];
  /** Also measure what the predictions lose without each unit. */
  readonly ablate?: boolean;
  /** Only raw values, which need no calibration: z, margin and rank are null. */
  readonly raw?: boolean;
}

const APART =
  'the text and what stands around it are tokenized apart; as one text they would have other tokens where they meet';

/** Finds out what is wrong with a request before anything is computed; throws what `scoreText` does. */
export function checkScore(options: ScoreOptions): void {
  encodeText(openSubject(forText(options.model, options.text), options.engine), options.text);
  const resolved = options.units.map((name) => resolveUnits(name, options));
  if (options.raw) for (const { objective } of resolved) soleRaw(objective);
}

/**
 * Scores one text for units, each against its own reference class.
 *
 * @throws UsageError for an empty text, one longer than the context, or units the model lacks
 */
export async function* scoreText(options: ScoreOptions): Run<ScoreResult> {
  const { model, text } = options;
  const subject = openSubject(forText(model, text), options.engine);
  const event = eventClock();
  const ids = encodeText(subject, text);
  const resolved = options.units.map((name) => resolveUnits(name, options));
  yield event({ kind: 'started', task: 'score', unit: options.units.join(' '), method: null });
  if (!model.tokenizer.standsAlone(ids)) yield event({ kind: 'warning', message: APART });
  const { logProbs, units } = options.raw
    ? await rawScores(subject, resolved, ids)
    : yield* calibratedScores(options, subject, resolved, ids, event);
  for (const [i, { objective }] of resolved.entries()) {
    const published = await publishedOf(openSubject(model, options.engine), objective, options.published);
    if (published) units[i]!.published = published;
  }
  const tail = tailOf(subject.spec);
  const read = [...ids, ...tail];
  return {
    model: model.name,
    frame: frameOf(model),
    tokens: read.map((id) => model.tokenizer.tokenString(id)),
    token_ids: read,
    logprobs: [null, ...logProbs, ...tail.map(() => null)],
    cross_entropy: -logProbs.reduce((sum, value) => sum + value, 0) / logProbs.length,
    units: [...units],
  };
}

async function* calibratedScores(
  options: ScoreOptions,
  subject: TextSubject,
  resolved: readonly Resolved[],
  ids: Int32Array,
  event: ReturnType<typeof eventClock>,
): Run<TextDetails<UnitScore>> {
  const { at, ablate = false } = options;
  const groups = resolved.flatMap((one) => [...groupsOf(one), ...(ablate ? effectGroups(one) : [])]);
  const calibration = yield* calibrate({ ...options, groups }, event);
  const probes: Probe[] = [];
  for (const one of resolved) probes.push(await Probe.create({ subject, ...one, calibration, at }));
  const { logProbs, units } = await readOnce(detailsReader(subject, probes), ids);
  const scores: UnitScore[] = [];
  for (const [i, { objective }] of resolved.entries()) {
    const score = unitScore(objective, units[i]!);
    for await (const calibrated of calibration.report(objective)) {
      yield event(calibrated);
      const { kind: _, cached: __, ...from } = calibrated;
      score.calibration.push(from);
    }
    if (ablate)
      score.ablation = Array.from(await ablationDivergence({ subject, objective, calibration }, ids));
    scores.push(score);
  }
  yield* calibration.takeWarnings().map(event);
  return { logProbs, units: scores };
}

function unitScore({ name: unit }: TextObjective, { margin, rank, ...of }: Details): UnitScore {
  const raw = Array.from(of.raw);
  const z = Array.from(of.z, (value, position) => (position === 0 ? null : value));
  const position = largest(of.z);
  return {
    unit,
    raw,
    z,
    peak: { position, raw: raw[position]!, z: z[position]! },
    margin,
    rank,
    calibration: [],
  };
}

async function rawScores(
  subject: TextSubject,
  resolved: readonly Resolved[],
  ids: Int32Array,
): Promise<TextDetails<UnitScore>> {
  const readouts = resolved.map(({ objective }) => soleRaw(objective));
  const { logProbs, units } = await readOnce(rawReader(subject, readouts), ids);
  const scores = resolved.map(({ objective }, i): UnitScore => {
    const values = units[i]!;
    const sign = Math.sign(objective.terms[0]!.weight);
    const position = largest(values.map((value) => value * sign));
    return {
      unit: objective.name,
      raw: Array.from(values),
      z: Array.from(values, () => null),
      peak: { position, raw: values[position]!, z: null },
      margin: null,
      rank: null,
      calibration: [],
    };
  });
  return { logProbs, units: scores };
}

/** The unit of an objective that has a value without calibration. Throws UsageError for another. */
function soleRaw(objective: TextObjective): Readout {
  const sole = soleReadout(objective);
  if (sole === null)
    throw new UsageError(
      `${objective.name} is a sum, which is counted in z: ${field('raw')} is for single units`,
    );
  if (!hasRaw(sole))
    throw new UsageError(
      `${objective.name} by this ${field('measure')} is counted from its mean, which needs calibration: leave ${field('raw')} out`,
    );
  return sole;
}

/** Where values are largest past position 0. */
function largest(values: Float32Array): number {
  let best = 1;
  for (let i = 2; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
