/** @file `--prior`: which kind of model a folder holds. */
import type { Engine } from '../../engine/compile.js';
import { loadTextModel } from '../lm/model.js';
import { openSubject } from '../lm/subject.js';
import type { FluencyModel } from './fluency-model.js';
import { isOnnxFolder, OnnxFluency } from './onnx-fluency.js';
import { TransformerFluency } from './transformer-fluency.js';

/**
 * Opens a model folder as the prior: an ONNX export where there is one, else weights of a known family.
 *
 * @throws UserError when the folder holds neither
 */
export async function openFluencyModel(folder: string, engine: Engine): Promise<FluencyModel> {
  if (isOnnxFolder(folder)) return OnnxFluency.open(folder);
  return new TransformerFluency(openSubject(await loadTextModel(folder), engine));
}
