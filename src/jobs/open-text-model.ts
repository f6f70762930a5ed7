/** @file Finds and loads the language models that a job names. */
import { UsageError } from '../core/errors.js';
import { field } from '../core/field.js';
import { hashModel } from '../hub/model-hash.js';
import { resolveModel } from '../hub/resolve-model.js';
import type { RecordedModel } from '../runs/description.js';
import { eventClock, type Run } from '../runs/events.js';
import { downloadDictionary } from '../text/dictionaries/download-dictionary.js';
import type { KeptScorers } from '../text/kept-scorers.js';
import { frameOf, inFrame } from '../text/lm/frame.js';
import { loadTextModel, type TextModel } from '../text/lm/model.js';
import { openSubject } from '../text/lm/subject.js';
import { type HeadMeasure, type MeasureChoice, tokenOfMeasure } from '../text/readouts/head-measures.js';
import { namedLatents } from '../text/readouts/named-dictionaries.js';
import type { Session } from '../text/readouts/session.js';
import type { KeptSamplers } from '../text/sampling/kept-samplers.js';
import { engineOf } from './device.js';
import type { ProbeJob } from './fields.js';

/** The fields of a job that say what is probed and how; `unit` or `units` where it names some. */
type Probed = { readonly unit?: string; readonly units?: readonly string[] } & Omit<ProbeJob, 'version'>;

/** A language model, the hash of its files, and the family that it was read as, where that was asked for. */
export interface LoadedModel {
  readonly model: TextModel;
  readonly hash: string;
  readonly family: string | null;
  /** What successive jobs of the model draw with; the caller frees them. */
  readonly samplers?: KeptSamplers;
  /** What successive scores of the model are computed with; the caller frees them. */
  readonly scorers?: KeptScorers;
}

/**
 * @param family - that the model is read as; null: what its config.json says
 * @yields what a download says, and what should be known of the model
 */
export async function* openTextModel(
  name: string,
  family: string | null,
  signal: AbortSignal,
): Run<LoadedModel> {
  const found = yield* resolveModel(name, { signal });
  const model = await loadTextModel(found.folder, family ?? undefined);
  const event = eventClock();
  for (const message of model.notes ?? []) yield event({ kind: 'warning', message });
  const hash = await hashModel(found.folder);
  // Read as another family, the same files compute something else.
  return {
    model: { ...model, name: found.name },
    hash: family === null ? hash : `${hash}-${family}`,
    family,
  };
}

/**
 * The probed model with everything that is asked of it. Dictionaries of the hub that the units name are downloaded.
 *
 * @param loaded - the model, where the caller has it
 * @throws UsageError when `logits:TOKEN` names no token of the model, as `deviceOf` and as `inFrame`
 */
export async function* openSession(
  job: Probed,
  signal: AbortSignal,
  loaded?: LoadedModel,
): Run<Session & { modelHash: string }> {
  const { model: found, hash } = loaded ?? (yield* openTextModel(job.model, job.family, signal));
  const engine = await engineOf(job);
  const model = openSubject(inFrame(found, job, job.at), engine);
  const { at, reference, seed, calibrationText, calibrationTokens, unit = [], units = [] } = job;
  const paths = namedLatents([unit, units].flat(), reference).map(({ path }) => path);
  for (const path of new Set(paths)) yield* downloadDictionary(path, { signal });
  return {
    model,
    modelHash: hash,
    engine,
    at,
    reference,
    seed,
    measure: measureOf(job.measure, model),
    ...(calibrationText !== null && { calibrationText }),
    ...(calibrationTokens !== null && { calibrationTokens }),
    ...(loaded?.samplers && { samplers: loaded.samplers }),
  };
}

/** What a run folder says of the model. */
export function recordedModel({
  model,
  modelHash: hash = '',
}: Pick<Session, 'model' | 'modelHash'>): RecordedModel {
  return { name: model.name, hash, frame: frameOf(model) };
}

function measureOf(measure: string, model: TextModel): MeasureChoice {
  const text = tokenOfMeasure(measure);
  if (text === undefined) return measure as HeadMeasure;
  const toward = model.tokenizer.tokenId(text);
  if (toward !== null) return { toward };
  throw new UsageError(
    `"${text}" is not one token of ${model.name}: ${field('measure')} logits:TOKEN needs a single token, with its leading space`,
  );
}
