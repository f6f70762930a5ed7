/** @file Which files of a model folder are needed, and whether they are all there. */
import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../core/errors.js';
import { foreignFormat } from '../core/foreign-formats.js';
import { inside } from '../core/inside.js';
import { readRegularFile, regularSize } from '../core/regular-file.js';

const single = 'model.safetensors';
/** Taken of a vision network where there are no safetensors: several older ones have nothing else. */
const torchFile = 'pytorch_model.bin';
/** Tells a vision network. */
const preprocessor = 'preprocessor_config.json';
/** Names the shards of a model whose weights are in several files. */
export const indexFile = 'model.safetensors.index.json';

/** Bytes that a file other than weights may have. */
export const smallFileLimit = 100e6;

/** Small files that are taken when the repository has them. */
const companions = [
  'config.json',
  'generation_config.json',
  preprocessor,
  'tokenizer.json',
  'tokenizer_config.json',
  'chat_template.jinja',
  'special_tokens_map.json',
  'added_tokens.json',
];

/** What to fetch before the weights: small files, and the index where there is no single file. */
export function wantedSmallFiles(available: readonly string[]): string[] {
  const names = available.includes(single) ? companions : [...companions, indexFile];
  return names.filter((name) => available.includes(name));
}

/**
 * What to fetch as weights.
 *
 * @param folder - where `model.safetensors.index.json` is, if the repository has it
 * @throws UserError when there are no safetensors, or the index names a file that is not there
 */
export function wantedWeights(repo: string, available: readonly string[], folder: string): string[] {
  if (available.includes(single)) return [single];
  if (!available.includes(indexFile)) {
    if (available.includes(preprocessor) && available.includes(torchFile)) return [torchFile];
    const others = available.filter(
      (name) => foreignFormat([name]) !== null || /\.(onnx|safetensors)$/.test(name),
    );
    const instead = others.length > 0 ? `, only ${others.slice(0, 3).join(', ')}` : '';
    throw new UserError(`${repo} has no ${single}${instead}; choose a model with safetensors weights`);
  }
  const shards = shardNames(folder);
  const absent = shards.find((name) => !available.includes(name));
  if (absent !== undefined) {
    throw new UserError(`the index of ${repo} names ${absent}, which is not there; choose another revision`);
  }
  return shards;
}

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * The files that the index of a folder names, each once.
 *
 * @throws UserError when the index cannot be read, is none, or names a file outside the folder
 */
export function shardNames(folder: string): string[] {
  const text = readRegularFile(join(folder, indexFile), smallFileLimit).toString();
  let map: Record<string, string> = {};
  try {
    map = indexSchema.parse(JSON.parse(text)).weight_map;
  } catch {
    // Said below.
  }
  const names = [...new Set(Object.values(map))];
  if (names.length === 0) throw new UserError(`${indexFile} names no files; fetch the model again`);
  for (const name of names) inside(folder, name, indexFile);
  return names;
}

const hasTorchFile = (folder: string): boolean =>
  [torchFile, preprocessor].every((name) => regularSize(join(folder, name)) !== null);

/** The needed files that a folder lacks; empty when the model is complete. The tokenizer may be elsewhere. */
export function missingFiles(folder: string): string[] {
  const has = (name: string) => regularSize(join(folder, name)) !== null;
  const weights = () => {
    if (has(single) || hasTorchFile(folder)) return [];
    if (!has(indexFile)) return [single];
    try {
      return shardNames(folder).filter((name) => !has(name));
    } catch {
      return [indexFile];
    }
  };
  return [...(has('config.json') ? [] : ['config.json']), ...weights()];
}

/** The files of a complete folder that make the model. */
export function presentFiles(folder: string): string[] {
  const has = (name: string) => regularSize(join(folder, name)) !== null;
  const weights = has(single)
    ? [single]
    : hasTorchFile(folder)
      ? [torchFile]
      : [indexFile, ...shardNames(folder)];
  return [...companions.filter(has), ...weights];
}
