/** @file A Hugging Face folder's config.json in, a TransformerSpec out. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError, UserError } from '../../core/errors.js';
import { field } from '../../core/field.js';
import { didYouMean, nearestNames } from '../../core/nearest.js';
import { readRegularFile } from '../../core/regular-file.js';
import { clipped } from '../../core/visible.js';
import { splitByLength } from './by-length.js';
import { families } from './families/table.js';
import { checkSpec, type TransformerSpec } from './spec.js';

/** Bytes of a config.json; the largest there are have a few hundred thousand. */
const LARGEST = 10_000_000;

/**
 * Reads `config.json` of a model folder.
 *
 * @param as - the family that it is read as, whatever it calls itself
 * @throws UserError when there is none, or it describes something else than a transformer of a known family
 */
export function readConfig(folder: string, as?: string): TransformerSpec {
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
  return parseConfig(json, path, as);
}

/**
 * The architecture that a parsed config.json describes.
 *
 * @param where - the file, as complaints call it
 * @param as - the family that it is read as, whatever it calls itself
 * @throws UsageError when `as` is no family
 * @throws UnknownFamily
 * @throws UserError for an unsupported option, or numbers that do not fit together
 */
export function parseConfig(json: unknown, where: string, as?: string): TransformerSpec {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UserError(`${where} holds no JSON object`);
  const { model_type: name, quantization_config: quantization } = json as Record<string, unknown>;
  if (as !== undefined && !families.has(as))
    throw new UsageError(
      `${field('family')} ${as}: there is no such family${didYouMean(as, families.keys())}`,
    );
  if (as === undefined && typeof name !== 'string') throw new UserError(`${where} has no "model_type"`);
  const family = families.get(as ?? (name as string));
  if (!family) throw unknownFamily(name as string, where, json as Record<string, unknown>);
  if (
    quantization !== undefined &&
    quantization !== null &&
    !family.quantized?.includes(methodOf(quantization))
  )
    throw new UserError(
      `${where} asks for quantized weights, which are not supported; use the unquantized model`,
    );
  const spec = family.read(as === undefined ? json : { ...json, model_type: as }, where);
  checkSpec(spec, where);
  return splitByLength(spec);
}

/** A config.json of an architecture that is not known. */
export class UnknownFamily extends UserError {
  constructor(
    message: string,
    readonly architecture: string,
    readonly config: Readonly<Record<string, unknown>>,
  ) {
    super(message);
  }
}

function unknownFamily(name: string, where: string, config: Record<string, unknown>): UnknownFamily {
  const known = [...families.keys()];
  const shown = clipped(name);
  return new UnknownFamily(
    `${where} is of the architecture "${shown}", which is not supported (${known.join(', ')} are); ` +
      `${field('family')} ${nearestFamily(shown, known)} reads it as its nearest relative, which may give wrong numbers`,
    shown,
    config,
  );
}

/** The family whose name is in this one, or most like it; Llama, which most are made after, where none is. */
function nearestFamily(name: string, known: readonly string[]): string {
  const within = known.filter((family) => name.toLowerCase().startsWith(family));
  return within.sort((a, b) => b.length - a.length)[0] ?? nearestNames(name, known)[0] ?? 'llama';
}

/** How weights are quantized. */
function methodOf(quantization: unknown): string {
  const { quant_method: method } = quantization as { quant_method?: unknown };
  return typeof method === 'string' ? method : '';
}
