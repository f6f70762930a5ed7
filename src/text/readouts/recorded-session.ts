/** @file The session of a run that was recorded: its model and its unit again, to ask more about them. */
import { UserError } from '../../core/errors.js';
import { hashModel } from '../../hub/model-hash.js';
import { resolveLocal } from '../../hub/resolve-model.js';
import type { RunDescription } from '../../runs/run-folder.js';
import { loadTextModel } from '../lm/model.js';
import { recordedProbe } from './recorded-settings.js';
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
  const { corpus: calibrationText, measure, ...probe } = recordedProbe(settings);
  const toward = typeof measure === 'string' ? null : model.tokenizer.tokenId(measure.toward);
  return {
    model: { ...model, name: recorded.name },
    modelHash,
    unit,
    ...probe,
    measure: typeof measure === 'string' ? measure : toward === null ? 'delta' : { toward },
    seed: seed ?? 0,
    ...(calibrationText !== null && { calibrationText }),
  };
}
