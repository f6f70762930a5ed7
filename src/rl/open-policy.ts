/** @file A tuned model to draw from: the folder that `superstim tune` wrote, or an adapter in PEFT's layout. */
import { existsSync } from 'node:fs';
import type { WeightSource } from '../engine/weights/weights.js';
import type { TextWeights } from '../text/lm/model.js';
import { mergedWeights } from './lora.js';
import { readPeft } from './peft.js';
import { adapterFolder } from './tune-state.js';

/**
 * The weights of a model with an adapter merged into them.
 *
 * @param folder - a run folder or an adapter's own
 * @throws UserError when it holds no adapter, or one of another model
 */
export function openPolicy(folder: string, { spec, weights }: TextWeights): WeightSource {
  const ofRun = adapterFolder(folder);
  return mergedWeights(weights, readPeft(existsSync(ofRun) ? ofRun : folder, spec));
}
