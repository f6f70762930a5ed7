/** @file A Hugging Face folder's config.json in, a TransformerSpec out. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { didYouMean } from '../../core/nearest.js';
import { ConfigReader } from './config-reader.js';
import { families } from './families.js';
import { checkSpec, type Family, type TransformerSpec } from './spec.js';

/**
 * Reads `config.json` of a model folder.
 *
 * @throws UserError when there is none, or it describes something else than a transformer of a known family
 */
export function readConfig(folder: string): TransformerSpec {
  const path = join(folder, 'config.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(
      `${folder} has no readable config.json: give the folder of a language model in Hugging Face's layout`,
      { cause: error },
    );
  }
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
  const config = new ConfigReader(json as Record<string, unknown>, where);
  const name = config.text('model_type');
  if (!isFamily(name)) {
    const known = Object.keys(families);
    throw new UserError(
      `${where} is of the architecture "${name}", which is not supported ` +
        `(${known.join(', ')} are)${didYouMean(name, known)}`,
    );
  }
  if (config.has('quantization_config'))
    throw config.unsupported('quantized weights, which are not supported; use the unquantized model');
  const spec = families[name].spec(config);
  checkSpec(spec, where);
  return spec;
}

function isFamily(name: string): name is Family {
  return Object.hasOwn(families, name);
}
