/** @file The files of a dictionary: its weights, and the configuration beside them. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { posix, resolve, sep } from 'node:path';
import { UserError } from '../../core/errors.js';
import { fileError } from '../../core/file-error.js';
import { readRegularFile, regularSize } from '../../core/regular-file.js';
import type { NamedArrays } from '../../engine/weights/named-arrays.js';
import { openNpz } from '../../engine/weights/npz.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { openTorchFile, type PlainValue } from '../../engine/weights/torch-file.js';

export interface DictionaryFiles {
  /** The path of the weights, absolute, with `/` between its parts. */
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
export const weightEnding = /\.(safetensors|npz|pt|pth)$/;
const configNames = ['cfg.json', 'config.json', 'hyperparams.json', '../hyperparams.json', 'config.yaml'];
/** Bytes of a configuration. */
const MAX_CONFIG = 1_000_000;

/** What names of files are looked up in: the disk, or a listing of the hub. Paths have `/` between their parts. */
export interface FileNames {
  isFile(path: string): boolean;
  /** Names of what is directly in a folder. */
  namesIn(folder: string): readonly string[];
}

/** The weights of a dictionary, and the configuration beside them. */
export interface DictionaryPaths {
  readonly weights: string;
  readonly config: string | null;
}

/**
 * Which files a dictionary is read from.
 *
 * @param place - its file of weights, or the folder
 * @throws UserError when the folder has no weights, or several
 */
export function dictionaryPaths(place: string, files: FileNames): DictionaryPaths {
  const weights = files.isFile(place) ? place : posix.join(place, weightsIn(place, files));
  const own = `${posix.basename(weights).replace(weightEnding, '')}_cfg.json`;
  const beside = [own, ...configNames].map((name) => posix.join(posix.dirname(weights), name));
  return { weights, config: beside.find((path) => files.isFile(path)) ?? null };
}

const onDisk: FileNames = {
  isFile: (path) => regularSize(path) !== null,
  namesIn: (folder) => readdirSync(folder),
};

/**
 * The files of a dictionary that is on this machine; null where there are none.
 *
 * @param place - its file of weights, or the folder
 */
export function presentPaths(place: string): DictionaryPaths | null {
  if (!existsSync(place)) return null;
  try {
    return dictionaryPaths(slashed(place), onDisk);
  } catch {
    return null;
  }
}

/**
 * Finds and opens the weights of a dictionary.
 *
 * @param place - its file of weights, or the folder
 * @throws UserError when there is none, there are several, or one is damaged
 */
export function openDictionaryFiles(place: string): DictionaryFiles {
  try {
    statSync(place);
  } catch (error) {
    throw fileError(error, `open the dictionary ${place}`);
  }
  const { weights: path, config: configPath } = dictionaryPaths(slashed(resolve(place)), onDisk);
  const { arrays, values } = openArrays(path);
  const config = configPath === null ? {} : readConfig(configPath);
  return { path, arrays, values, config, configPath };
}

const slashed = (path: string) => (sep === '/' ? path : path.replaceAll(sep, '/'));

function weightsIn(folder: string, files: FileNames): string {
  const known = knownWeights.find((name) => files.isFile(posix.join(folder, name)));
  if (known !== undefined) return known;
  const all = files
    .namesIn(folder)
    .filter((name) => weightEnding.test(name) && !/^(expected|sparsity|W_dec)/.test(name))
    .sort();
  if (all.length === 1) return all[0]!;
  throw new UserError(
    all.length === 0
      ? `${folder} has no dictionary: there is no ${knownWeights.slice(0, -1).join(', ')} in it; give the folder with the weights`
      : `${folder} has ${all.length} files of weights (${all.slice(0, 3).join(', ')}); name one of them: ${posix.join(folder, all[0]!)}`,
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
