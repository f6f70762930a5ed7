/** @file What scores texts for some units: they are looked up and calibrated once, and a graph serves every text of its length. */
import { UsageError } from '../core/errors.js';
import { field } from '../core/field.js';
import type { PublishedUnit } from '../core/published-unit.js';
import type { eventClock, Run } from '../runs/events.js';
import type { TextSubject } from './lm/subject.js';
import type { CalibratedUnit } from './readouts/calibrated-unit.js';
import type { Calibration } from './readouts/calibration.js';
import { type Details, detailsReader, hasRaw, rawReader, type TextDetails } from './readouts/details.js';
import { soleReadout, type TextObjective } from './readouts/objective.js';
import { Probe } from './readouts/probe.js';
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

/** How texts are scored. */
export interface ScoreRequest extends Session {
  readonly units: readonly string[];
  /** Also measure what the predictions lose without each unit. */
  readonly ablate?: boolean;
  /** Only raw values, which need no calibration: z, margin and rank are null. */
  readonly raw?: boolean;
}

export interface TextScorer {
  /** None where only raw values are asked for. */
  readonly calibration: Calibration | null;
  /** @param ids - one sequence, BOS in front */
  read(ids: Int32Array): Promise<TextDetails<UnitScore>>;
  dispose(): Promise<void>;
}

/** The units of a request, looked up. Throws UsageError for those that the model lacks, or that have no raw value. */
export function resolvedUnits(request: ScoreRequest): Resolved[] {
  const resolved = request.units.map((name) => resolveUnits(name, request));
  if (request.raw) for (const { objective } of resolved) soleRaw(objective);
  return resolved;
}

/**
 * @param resolved - the units of the request
 * @yields how far calibration is
 */
export async function* openScorer(
  request: ScoreRequest,
  subject: TextSubject,
  resolved: readonly Resolved[],
  event: ReturnType<typeof eventClock>,
): Run<TextScorer> {
  const { at, ablate = false, raw = false } = request;
  if (raw) return rawScorer(subject, resolved);
  const groups = resolved.flatMap((one) => [...groupsOf(one), ...(ablate ? effectGroups(one) : [])]);
  const calibration = yield* calibrate({ ...request, groups }, event);
  const probes: Probe[] = [];
  for (const one of resolved) probes.push(await Probe.create({ subject, ...one, calibration, at }));
  const reader = detailsReader(subject, probes);
  return {
    calibration,
    async read(ids) {
      const { logProbs, units } = await reader.read(ids);
      return { logProbs, units: resolved.map(({ objective }, i) => unitScore(objective, units[i]!)) };
    },
    dispose: () => reader.dispose(),
  };
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

function rawScorer(subject: TextSubject, resolved: readonly Resolved[]): TextScorer {
  const objectives = resolved.map(({ objective }) => objective);
  const reader = rawReader(subject, objectives.map(soleRaw));
  return {
    calibration: null,
    async read(ids) {
      const { logProbs, units } = await reader.read(ids);
      return { logProbs, units: objectives.map((objective, i) => rawScore(objective, units[i]!)) };
    },
    dispose: () => reader.dispose(),
  };
}

function rawScore({ name: unit, terms }: TextObjective, values: Float32Array): UnitScore {
  const sign = Math.sign(terms[0]!.weight);
  const position = largest(values.map((value) => value * sign));
  return {
    unit,
    raw: Array.from(values),
    z: Array.from(values, () => null),
    peak: { position, raw: values[position]!, z: null },
    margin: null,
    rank: null,
    calibration: [],
  };
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
