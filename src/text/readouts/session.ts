/** @file A model with what is asked of it, its calibration, and units looked up: what all tasks of a language model begin with. */

import { createHash } from 'node:crypto';
import { lastOf } from '../../core/last-of.js';
import { once } from '../../core/once.js';
import type { Engine } from '../../engine/compile.js';
import type { PublishedFeature } from '../../hub/neuronpedia-feature.js';
import { eventClock, type Run, stamped } from '../../runs/events.js';
import { isPlain } from '../lm/frame.js';
import type { TextModel } from '../lm/model.js';
import { openSubject } from '../lm/subject.js';
import type { SequenceScore } from '../names.js';
import type { KeptSamplers } from '../sampling/kept-samplers.js';
import { Calibration } from './calibration.js';
import { type CalibrationStore, diskStore, memoryStore } from './calibration-store.js';
import { fileText, sampledText } from './calibration-text.js';
import type { MeasureChoice } from './head-measures.js';
import { openObjective, type TextObjective } from './objective.js';
import type { ReadoutGroup } from './readout.js';
import { type ReferenceClass, referenceClass } from './reference.js';
import { shippedStatistics } from './unit-statistics.js';
import { unitContext } from './units.js';

/** A model with everything that is asked of it before any text or unit. */
export interface Session {
  readonly model: TextModel;
  /** Hash of the model's files: calibration is kept on disk under it. Without one it is not kept. */
  readonly modelHash?: string;
  readonly engine: Engine;
  readonly measure: MeasureChoice;
  readonly at: SequenceScore;
  readonly reference: string;
  /** A text file to calibrate on, instead of samples of the prior. */
  readonly calibrationText?: string;
  /** Positions to calibrate on, about; as many as half a minute allows unless told otherwise. */
  readonly calibrationTokens?: number;
  readonly seed: number;
  /** What others publish of the units, by name. */
  readonly published?: ReadonlyMap<string, PublishedFeature>;
  /** Samplers that other searches of the model use too. */
  readonly samplers?: KeptSamplers;
  /** Ends preparation between two steps by throwing its reason; a search that runs stops and keeps what it has. */
  readonly signal?: AbortSignal;
}

/**
 * Gets calibration ready, reporting how far it is. Statistics that ship with the model are used unless the user gives a
 * corpus; else z is computed over samples of the model.
 *
 * @param options.groups - whose statistics will be needed: they are counted together. Others are counted when they are
 *   asked for
 * @param event - the clock of the run that this is a part of
 */
export async function* calibrate(
  options: Session & { readonly groups?: readonly ReadoutGroup[] },
  event = eventClock(),
): Run<Calibration> {
  const { model, engine, calibrationText, calibrationTokens: tokens = null, modelHash, signal } = options;
  const { groups = [] } = options;
  const subject = openSubject(model, engine);
  const kept = modelHash === undefined ? undefined : `${modelHash}${frameKey(model)}`;
  const store: CalibrationStore = kept === undefined ? memoryStore() : diskStore(kept);
  const isShipped = calibrationText === undefined && isPlain(model);
  const shipped = isShipped ? shippedStatistics(model.folder) : undefined;
  const drawing = sampledText(subject, store, { tokens, signal });
  let text = once(() => lastOf(drawing));
  if (calibrationText !== undefined) {
    const read = await fileText(subject, calibrationText, { tokens, signal });
    text = async () => read;
  } else if (groups.some((group) => !shipped?.load(group))) {
    const drawn = yield* stamped(drawing, event);
    text = async () => drawn;
  }
  const calibration = new Calibration({ subject, store, signal, shipped, text });
  yield* stamped(calibration.prepare(groups), event);
  return calibration;
}

/** What is usual is usual in a frame: behind the same tokens. */
function frameKey({ spec, ...model }: TextModel): string {
  if (isPlain({ spec, ...model })) return '';
  const before = spec.frame!.before.join(' ');
  return `-${createHash('sha256').update(before).digest('hex').slice(0, 16)}`;
}

/** What is asked of a model, looked up. */
export interface Resolved {
  readonly objective: TextObjective;
  readonly reference: ReferenceClass;
}

/** The groups that scoring needs the statistics of. */
export const groupsOf = ({ objective, reference }: Resolved): ReadoutGroup[] => [
  ...objective.terms.map(({ readout }) => readout.group),
  ...reference.parts.map(({ group }) => group),
];

/** Those that explaining and ablating need beside them. */
export const effectGroups = ({ objective }: Resolved): ReadoutGroup[] =>
  objective.terms.flatMap(({ readout }) => readout.group.effect?.usual ?? []);

/** The objective and its rivals, from their names. Throws UsageError for names the model does not have. */
export function resolveUnits(
  name: string,
  { model, measure, reference, seed }: Pick<Session, 'model' | 'measure' | 'reference' | 'seed'>,
): Resolved {
  const context = unitContext(model, measure);
  const objective = openObjective(name, context);
  return { objective, reference: referenceClass(reference, objective, context, seed) };
}
