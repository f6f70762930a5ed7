/** @file Finds and loads the language models that a job names. */
import { UsageError } from '../core/errors.js';
import { field } from '../core/field.js';
import { hashModel } from '../hub/model-hash.js';
import { resolveModel } from '../hub/resolve-model.js';
import { eventClock, type Run } from '../runs/events.js';
import { loadTextModel, type TextModel } from '../text/lm/model.js';
import type { HeadMeasure } from '../text/names.js';
import type { MeasureChoice } from '../text/readouts/head-measures/index.js';
import type { SessionOptions } from '../text/readouts/session.js';
import type { JobOf } from './schema.js';

/** The fields of a job that say what is probed and how. */
type Probed = Pick<
  JobOf<'score'>,
  'model' | 'measure' | 'at' | 'reference' | 'calibrationText' | 'engine' | 'seed'
>;

/** A language model, and the hash of its files. */
export interface LoadedModel {
  readonly model: TextModel;
  readonly hash: string;
}

/** @yields what a download says, and what should be known of the model */
export async function* openTextModel(name: string, signal: AbortSignal): Run<LoadedModel> {
  const found = yield* resolveModel(name, { signal });
  const model = await loadTextModel(found.folder);
  const event = eventClock();
  for (const message of model.notes ?? []) yield event({ kind: 'warning', message });
  return { model: { ...model, name: found.name }, hash: await hashModel(found.folder) };
}

/**
 * The probed model with everything that is asked of it.
 *
 * @param loaded - the model, where the caller has it
 * @throws UsageError when `logits:TOKEN` names no token of the model
 */
export async function* openSession(
  job: Probed,
  signal: AbortSignal,
  loaded?: LoadedModel,
): Run<SessionOptions & { modelHash: string }> {
  const { model, hash } = loaded ?? (yield* openTextModel(job.model, signal));
  const { engine, at, reference, seed, calibrationText } = job;
  return {
    model,
    modelHash: hash,
    engine,
    at,
    reference,
    seed,
    measure: measureOf(job.measure, model),
    ...(calibrationText !== null && { calibrationText }),
  };
}

function measureOf(measure: string, model: TextModel): MeasureChoice {
  const text = /^logits:(.+)$/s.exec(measure)?.[1];
  if (text === undefined) return measure as HeadMeasure;
  const toward = model.tokenizer.tokenId(text);
  if (toward !== null) return { toward };
  throw new UsageError(
    `"${text}" is not one token of ${model.name}: ${field('measure')} logits:TOKEN needs a single token, with its leading space`,
  );
}
