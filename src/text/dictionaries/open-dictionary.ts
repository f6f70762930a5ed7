/** @file Dictionaries on disk, of every format: a new one is a file in `formats/`, and a line here. */
import { UserError } from '../../core/errors.js';
import type { NamedArrays } from '../../engine/weights/named-arrays.js';
import type { Dictionary, LatentMatrix } from './dictionary.js';
import type { DictionaryFormat } from './format.js';
import { readCircuitTracer } from './formats/circuit-tracer.js';
import { readDictionaryLearning } from './formats/dictionary-learning.js';
import { readGemmaScope, readGemmaScope2 } from './formats/gemma-scope.js';
import { readLlamaScope } from './formats/llama-scope.js';
import { readOpenai } from './formats/openai.js';
import { readQwenScope } from './formats/qwen-scope.js';
import { readSaelens } from './formats/saelens.js';
import { readSparsify } from './formats/sparsify.js';
import { openDictionaryFiles } from './found-files.js';

/** In this order: what is told from the rest by its configuration comes first. */
const formats: readonly DictionaryFormat[] = [
  readSaelens,
  readSparsify,
  readDictionaryLearning,
  readLlamaScope,
  readOpenai,
  readQwenScope,
  readGemmaScope,
  readGemmaScope2,
  readCircuitTracer,
];

/**
 * Opens a dictionary: reads its configuration and the headers of its arrays.
 *
 * @param path - its file of weights, or the folder that holds it
 * @throws UserError when there is none, it is damaged, of no known format, or its arrays do not fit together
 */
export function openDictionary(path: string): Dictionary {
  const files = openDictionaryFiles(path);
  for (const format of formats) {
    const described = format(files);
    if (described === null) continue;
    const found = { ...described, arrays: files.arrays, ...sizesOf(files.arrays, described.encoder) };
    checkArrays(found);
    return writesWhatItReads(found) ? found : { ...found, decoder: null };
  }
  const { arrays } = files;
  throw new UserError(
    `${arrays.path} is no dictionary of a known format: it has ${arrays.names.slice(0, 5).join(', ') || 'no arrays'}, ` +
      `and ${files.configPath ?? 'no configuration'} beside it`,
  );
}

/** Sizes by the encoder, `[latents]` along its axis. Throws UserError for what is no matrix. */
function sizesOf(arrays: NamedArrays, encoder: LatentMatrix): Pick<Dictionary, 'size' | 'width'> {
  const shape = arrays.shape(encoder.name);
  if (shape.length !== 2 || shape.includes(0))
    throw new UserError(
      `"${encoder.name}" in ${arrays.path} has the shape [${shape}]: an encoder is a matrix`,
    );
  return { size: shape[encoder.latents]!, width: shape[1 - encoder.latents]! };
}

/** Whether what the decoder writes is as wide as what the encoder reads. */
function writesWhatItReads({ arrays, decoder, size, width }: Dictionary): boolean {
  if (decoder === null) return true;
  const { matrix, bias } = decoder;
  if (!arrays.has(matrix.name) || !arrays.has(bias)) return false;
  const shape = arrays.shape(matrix.name);
  return (
    shape.length === 2 &&
    shape[matrix.latents] === size &&
    shape[1 - matrix.latents] === width &&
    `${arrays.shape(bias)}` === `${width}`
  );
}

/** Throws UserError where an array is missing, or is not one number a latent or a dimension. */
function checkArrays({ arrays, format, size, width, input, bias, activation, scaledBy }: Dictionary): void {
  const expect = (name: string | null, count: number, single = false) => {
    if (name === null) return;
    const shape = arrays.shape(name);
    const elements = shape.reduce((product, n) => product * n, 1);
    if (shape.length <= 1 && (elements === count || (single && elements === 1))) return;
    throw new UserError(
      `"${name}" in ${arrays.path} has the shape [${shape}]; in this dictionary (${format}, ${size} latents) it is [${count}]`,
    );
  };
  expect(input.subtract, width);
  expect(bias, size);
  if (activation.kind === 'jump' && typeof activation.threshold === 'string')
    expect(activation.threshold, size, true);
  if (activation.kind === 'gated')
    for (const name of [activation.gain, activation.magnitude]) expect(name, size);
  if (activation.kind === 'topk' && activation.k > size)
    throw new UserError(`${arrays.path} keeps ${activation.k} latents of ${size}, which makes no sense`);
  if (scaledBy && arrays.shape(scaledBy.name)[scaledBy.latents] !== size)
    throw new UserError(`"${scaledBy.name}" in ${arrays.path} is not of ${size} latents`);
}
