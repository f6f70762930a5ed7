/** @file A Hugging Face folder's config.json in, a TransformerSpec out. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest.js';
import { readRegularFile } from '../../core/regular-file.js';
import { families } from './families/table.js';
import { checkSpec, type TransformerSpec } from './spec.js';

/** Bytes of a config.json; the largest there are have a few hundred thousand. */
const LARGEST = 10_000_000;

/**
 * Reads `config.json` of a model folder.
 *
 * @throws UserError when there is none, or it describes something else than a transformer of a known family
 */
export function readConfig(folder: string): TransformerSpec {
  const path = join(folder, 'config.json');
  if (!existsSync(path))
    throw new UserError(
      `${folder} has no readable config.json: give the folder of a language model in Hugging Face's layout`,
    );
  const text = readRegularFile(path, LARGEST).toString('utf8');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path} is not valid JSON`, { cause: error });
  }
  return parseConfig(json, path);
}

/**
 * The architecture that a parsed config.json describes.
 *
 * @param where - the file, as complaints call it
 * @throws UserError for an unknown family, an unsupported option, or numbers that do not fit together
 */
export function parseConfig(json: unknown, where: string): TransformerSpec {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UserError(`${where} holds no JSON object`);
  const { model_type: name, quantization_config: quantization } = json as Record<string, unknown>;
  if (typeof name !== 'string') throw new UserError(`${where} has no "model_type"`);
  const family = families.get(name);
  if (!family) {
    const known = [...families.keys()];
    const shown = name.length > 60 ? `${name.slice(0, 60)}…` : name;
    throw new UserError(
      `${where} is of the architecture "${shown}", which is not supported (${known.join(', ')} are)` +
        didYouMean(shown, known),
    );
  }
  if (
    quantization !== undefined &&
    quantization !== null &&
    !family.quantized?.includes(methodOf(quantization))
  )
    throw new UserError(
      `${where} asks for quantized weights, which are not supported; use the unquantized model`,
    );
  const spec = family.read(json, where);
  checkSpec(spec, where);
  return spec;
}

/** How weights are quantized. */
function methodOf(quantization: unknown): string {
  const { quant_method: method } = quantization as { quant_method?: unknown };
  return typeof method === 'string' ? method : '';
}
