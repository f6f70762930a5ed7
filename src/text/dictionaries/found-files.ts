/** @file The files of a dictionary: its weights, and the configuration beside them. */
import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../../core/errors.js';
import { fileError } from '../../core/file-error.js';
import { readRegularFile, regularSize } from '../../core/regular-file.js';
import type { NamedArrays } from '../../engine/weights/named-arrays.js';
import { openNpz } from '../../engine/weights/npz.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { openTorchFile, type PlainValue } from '../../engine/weights/torch-file.js';

export interface DictionaryFiles {
  /** Of the weights, absolute, with `/` between its parts. */
  readonly path: string;
  readonly arrays: NamedArrays;
  /** Numbers and texts that lie beside the arrays, in `.pt`. */
  readonly values: ReadonlyMap<string, PlainValue>;
  /** What the first configuration beside the weights holds; empty without one. */
  readonly config: Readonly<Record<string, unknown>>;
  /** That configuration, for messages. */
  readonly configPath: string | null;
}

/** Weights as their authors name them, best first; a folder with one file of weights needs none of these names. */
const knownWeights = [
  'sae_weights.safetensors',
  'sae.safetensors',
  'params.safetensors',
  'params.npz',
  'ae.pt',
  'checkpoints/final.safetensors',
];
const weightEnding = /\.(safetensors|npz|pt|pth)$/;
const configNames = ['cfg.json', 'config.json', 'hyperparams.json', '../hyperparams.json', 'config.yaml'];
/** Bytes of a configuration. */
const MAX_CONFIG = 1_000_000;

/**
 * Finds and opens the weights of a dictionary.
 *
 * @param place - its file of weights, or the folder
 * @throws UserError when there is none, there are several, or one is damaged
 */
export function openDictionaryFiles(place: string): DictionaryFiles {
  const path = resolve(isFolder(place) ? join(place, weightsIn(place)) : place);
  const { arrays, values } = openArrays(path);
  const own = `${basename(path).replace(weightEnding, '')}_cfg.json`;
  const name = [own, ...configNames].find((name) => regularSize(join(dirname(path), name)) !== null);
  const configPath = name === undefined ? null : join(dirname(path), name);
  const config = configPath === null ? {} : readConfig(configPath);
  return { path: path.replaceAll('\\', '/'), arrays, values, config, configPath };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw fileError(error, `open the dictionary ${path}`);
  }
}

function weightsIn(folder: string): string {
  const known = knownWeights.find((name) => regularSize(join(folder, name)) !== null);
  if (known !== undefined) return known;
  const all = readdirSync(folder)
    .filter((name) => weightEnding.test(name) && !/^(expected|sparsity|W_dec)/.test(name))
    .sort();
  if (all.length === 1) return all[0]!;
  throw new UserError(
    all.length === 0
      ? `${folder} has no dictionary: there is no ${knownWeights.slice(0, -1).join(', ')} in it; give the folder with the weights`
      : `${folder} has ${all.length} files of weights (${all.slice(0, 3).join(', ')}); name one of them: ${join(folder, all[0]!)}`,
  );
}

function openArrays(path: string): Pick<DictionaryFiles, 'arrays' | 'values'> {
  const ending = weightEnding.exec(path)?.[1];
  if (ending === 'npz') return { arrays: openNpz(path), values: new Map() };
  if (ending === 'safetensors') return { arrays: openSafetensors(path), values: new Map() };
  if (ending === undefined)
    throw new UserError(`${path} is no dictionary: its weights are in .safetensors, .npz or .pt`);
  const file = openTorchFile(path);
  return { arrays: file, values: file.values };
}

function readConfig(path: string): Record<string, unknown> {
  const text = readRegularFile(path, MAX_CONFIG).toString('utf8');
  // Of YAML, only the plain entries of the outermost level are needed.
  if (path.endsWith('.yaml'))
    return Object.fromEntries(
      [...text.matchAll(/^(\w+): *["']?([^"'#\n]*?)["']? *(?:#.*)?$/gm)].map(([, key, value]) => [
        key,
        value,
      ]),
    );
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${path} is not valid JSON`, { cause: error });
  }
  if (typeof json === 'object' && json !== null && !Array.isArray(json))
    return json as Record<string, unknown>;
  throw new UserError(`${path} holds no JSON object`);
}
