/** @file Which files of a model folder are needed, and whether they are all there. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';

const single = 'model.safetensors';
/** Names the shards of a model whose weights are in several files. */
export const indexFile = 'model.safetensors.index.json';

/** Small files that are taken when the repository has them. */
const companions = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
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
 * @param readIndex - gives the text of `model.safetensors.index.json`
 * @throws UserError when there are no safetensors, or the index names a file that is not there
 */
export function wantedWeights(repo: string, available: readonly string[], readIndex: () => string): string[] {
  if (available.includes(single)) return [single];
  if (!available.includes(indexFile)) {
    const others = available.filter((name) =>
      /\.(bin|h5|msgpack|onnx|gguf|safetensors|pt|pth|ckpt)$/.test(name),
    );
    const instead = others.length > 0 ? `, only ${others.slice(0, 3).join(', ')}` : '';
    throw new UserError(`${repo} has no ${single}${instead}; choose a model with safetensors weights`);
  }
  const shards = shardNames(readIndex());
  const absent = shards.find((name) => !available.includes(name));
  if (absent !== undefined) {
    throw new UserError(`the index of ${repo} names ${absent}, which is not there; choose another revision`);
  }
  return shards;
}

/**
 * The files that an index names, each once.
 *
 * @throws UserError when the text is no index
 */
export function shardNames(index: string): string[] {
  let map: unknown;
  try {
    map = (JSON.parse(index) as { weight_map?: unknown } | null)?.weight_map;
  } catch {
    map = undefined;
  }
  const names = typeof map === 'object' && map !== null ? [...new Set(Object.values(map))] : [];
  if (names.length > 0 && names.every((name) => typeof name === 'string')) return names as string[];
  throw new UserError(`${indexFile} names no files; fetch the model again`);
}

/** The needed files that a folder lacks; empty when the model is complete. The tokenizer may be elsewhere. */
export function missingFiles(folder: string): string[] {
  const has = (name: string) => statSync(join(folder, name), { throwIfNoEntry: false })?.isFile() ?? false;
  const weights = () => {
    if (has(single)) return [];
    if (!has(indexFile)) return [single];
    try {
      return shardNames(readFileSync(join(folder, indexFile), 'utf8')).filter((name) => !has(name));
    } catch {
      return [indexFile];
    }
  };
  return [...(has('config.json') ? [] : ['config.json']), ...weights()];
}
