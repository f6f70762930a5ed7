/** @file `--prior`: which kind of model a folder holds. */
import { UsageError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import type { Engine } from '../../engine/compile.js';
import { type FrameChoice, inFrame } from '../lm/frame.js';
import { loadTextModel } from '../lm/model.js';
import { openSubject } from '../lm/subject.js';
import type { FluencyModel } from './fluency-model.js';
import { isOnnxFolder, OnnxFluency } from './onnx-fluency.js';
import { TransformerFluency } from './transformer-fluency.js';

/**
 * Opens a model folder as the prior: an ONNX export where there is one, else weights of a known family.
 *
 * @param frame - what it reads texts in
 * @throws UserError when the folder holds neither; UsageError for an export and a frame, which exports are not given
 */
export async function openFluencyModel(
  folder: string,
  engine: Engine,
  frame: FrameChoice = { prefix: '', suffix: '', chat: null, bos: 'auto' },
): Promise<FluencyModel> {
  // What stands behind a text does not change how probable it is.
  const before = { ...frame, suffix: '' };
  if (!isOnnxFolder(folder))
    return new TransformerFluency(openSubject(inFrame(await loadTextModel(folder), before, 'max'), engine));
  if (frame.prefix !== '' || frame.chat !== null || frame.bos !== 'auto')
    throw new UsageError(
      `the ONNX export ${folder} reads texts behind its BOS alone: ${field('prior')} with ${field('prefix')}, ${field('chat')} or ${field('bos')} needs a folder with safetensors weights`,
    );
  return OnnxFluency.open(folder);
}
