/** @file A model, a unit and a reference class, ready to score: what `score` and `text` have in common. */

import { once } from '../../core/once.js';
import type { EngineName } from '../../engine/compile.js';
import { eventClock, type Run } from '../../runs/events.js';
import type { TextModel } from '../lm/model.js';
import { openSubject } from '../lm/subject.js';
import type { SequenceScore } from '../names.js';
import { Calibration } from './calibration.js';
import { type CalibrationStore, diskStore, memoryStore } from './calibration-store.js';
import { fileText, sampledText } from './calibration-text.js';
import type { MeasureChoice } from './head-measures/index.js';
import { type Objective, openObjective } from './objective.js';
import { type ReferenceClass, referenceClass } from './reference.js';
import { shippedStatistics } from './unit-statistics.js';

export interface SessionOptions {
  readonly model: TextModel;
  /** Hash of the model's files: calibration is kept on disk under it. Without one it is not kept. */
  readonly modelHash?: string;
  readonly engine: EngineName;
  readonly measure: MeasureChoice;
  readonly at: SequenceScore;
  readonly reference: string;
  /** A text file to calibrate on, instead of samples of the prior. */
  readonly calibrationText?: string;
  readonly seed: number;
  /** Ends preparation between two steps by throwing its reason; a search that runs stops and keeps what it has. */
  readonly signal?: AbortSignal;
}

/**
 * Gets calibration ready, reporting how far it is. Statistics that ship with the model are used unless the user gives a
 * corpus; else z is computed over samples of the model.
 *
 * @param event - the clock of the run that this is a part of
 */
export async function* calibrate(options: SessionOptions, event = eventClock()): Run<Calibration> {
  const { model, engine, calibrationText, modelHash, signal } = options;
  const subject = openSubject(model, engine);
  const store: CalibrationStore = modelHash === undefined ? memoryStore() : diskStore(modelHash);
  const shared = { subject, store, signal };
  if (calibrationText !== undefined) {
    const text = await fileText(subject, calibrationText, signal);
    return new Calibration({ ...shared, text: async () => text });
  }
  const shipped = shippedStatistics(model.folder);
  const drawing = sampledText(subject, store, signal);
  // Only measures that are not shipped need samples.
  if (shipped) return new Calibration({ ...shared, shipped, text: once(() => lastOf(drawing)) });
  for (;;) {
    const next = await drawing.next();
    if (next.done) return new Calibration({ ...shared, text: async () => next.value });
    const { done, total } = next.value;
    yield event({
      kind: 'progress',
      source: 'preparation',
      budget: 'sequences',
      done,
      total,
      rate: null,
      rate_unit: 'sequences',
      seconds_left: null,
      note: 'calibrating on samples of the prior',
    });
  }
}

/** What a generator returns at its end. */
async function lastOf<T>(steps: AsyncGenerator<unknown, T, void>): Promise<T> {
  for (;;) {
    const next = await steps.next();
    if (next.done) return next.value;
  }
}

/** What is asked of a model, looked up. */
export interface Resolved {
  readonly objective: Objective;
  readonly reference: ReferenceClass;
}

/** The objective and its rivals, from their names. Throws UsageError for names the model does not have. */
export function resolveUnits(
  name: string,
  { model, measure, reference, seed }: Pick<SessionOptions, 'model' | 'measure' | 'reference' | 'seed'>,
): Resolved {
  const { spec, tokenizer } = model;
  const context = { spec, measure, tokenId: (text: string) => tokenizer.tokenId(text) };
  const objective = openObjective(name, context);
  return { objective, reference: referenceClass(reference, objective, context, seed) };
}
