/** @file `--prior`: which kind of model a folder holds. */
import type { EngineName } from '../../engine/compile.js';
import { loadTextModel } from '../model.js';
import type { ForeignPrior } from './foreign-prior.js';
import { isOnnxFolder, OnnxPrior } from './onnx-prior.js';
import { TransformerPrior } from './transformer-prior.js';

/**
 * Opens a model folder as the prior: an ONNX export where there is one, else weights of a known family.
 *
 * @throws UserError when the folder holds neither
 */
export async function openPrior(folder: string, engine: EngineName): Promise<ForeignPrior> {
  if (isOnnxFolder(folder)) return OnnxPrior.open(folder);
  return new TransformerPrior(await loadTextModel(folder), engine);
}
