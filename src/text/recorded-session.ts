/** @file The session of a run that was recorded: its model and its unit again, to ask more about them. */
import type { EngineName } from '../engine/compile.js';
import { UserError } from '../errors.js';
import { hashModel } from '../hub/model-hash.js';
import { resolveLocal } from '../hub/resolve-model.js';
import type { JsonValue } from '../runs/events.js';
import type { RunDescription } from '../runs/run-folder.js';
import type { HeadMeasure, SequenceScore } from './measures.js';
import { loadTextModel } from './model.js';
import type { SessionOptions } from './session.js';

/**
 * Loads the model that a run names and repeats its settings.
 *
 * @throws UserError when the run names no model, or the model is not on this machine or not the same any more
 */
export async function recordedSession(run: RunDescription): Promise<SessionOptions & { unit: string }> {
  const { model: recorded, unit, settings = {}, seed } = run;
  if (!recorded || !unit) throw new UserError('run.json names no model and unit to compute with');
  const local = resolveLocal(recorded.name);
  if (!local)
    throw new UserError(
      `the model ${recorded.name} of this run is not on this machine; give its folder its old place, or download it with --model ${recorded.name}`,
    );
  const modelHash = await hashModel(local.folder);
  if (modelHash !== recorded.hash)
    throw new UserError(
      `the model ${recorded.name} has changed since this run: what would be computed does not belong to it`,
    );
  const model = await loadTextModel(local.folder);
  const { measure, corpus } = settings;
  const word = (name: string, otherwise: string) =>
    typeof settings[name] === 'string' ? settings[name] : otherwise;
  return {
    model: { ...model, name: recorded.name },
    modelHash,
    unit,
    engine: word('engine', 'onnx') as EngineName,
    at: word('at', 'max') as SequenceScore,
    reference: word('reference', 'layer'),
    measure: recordedMeasure(measure, (token) => model.tokenizer.tokenId(token)),
    seed: seed ?? 0,
    ...(typeof corpus === 'string' && { corpus }),
  };
}

/** `delta`, or `{ toward: token }` with the token spelled out. */
function recordedMeasure(
  measure: JsonValue | undefined,
  tokenId: (token: string) => number | null,
): SessionOptions['measure'] {
  if (typeof measure === 'string') return measure as HeadMeasure;
  const token =
    typeof measure === 'object' && measure !== null && !Array.isArray(measure) ? measure.toward : null;
  const toward = typeof token === 'string' ? tokenId(token) : null;
  return toward === null ? 'delta' : { toward };
}
