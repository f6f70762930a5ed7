/** @file Where a vision network is: its file, or the one of a folder, and what that is read as. No reader is loaded here. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { z } from 'zod';
import { UserError } from '../core/errors.js';
import { fileError } from '../core/file-error.js';
import { foreignFormat } from '../core/foreign-formats.js';
import { inputMetadata } from './metadata.js';
import type { VisionNetwork } from './network.js';
import { readJsonFile } from './readers/json-file.js';

/** What a folder is searched for, in this order. */
const modelFiles: readonly RegExp[] = [
  /^model\.json$/,
  /^model\.safetensors$/,
  /\.onnx$/,
  /\.safetensors$/,
  /^pytorch_model\.bin$/,
  /\.pth$/,
];
/** Weights as `torch.save` writes them. */
export const torchFile = /\.pth$|\.pt$|pytorch_model\.bin$/;

/** `model_type` of the networks of transformers that are read from their weights. */
const seeingTypes: ReadonlySet<unknown> = new Set([
  'vit',
  'deit',
  'dinov2',
  'dinov2_with_registers',
  'clip',
  'clip_vision_model',
  'convnext',
]);

/**
 * Whether a file or folder looks like a vision network rather than a language model: by the file's ending. In a folder,
 * a `config.json` that names a `model_type` of transformers means a language model, also where an export of it to ONNX
 * lies beside; unless that type sees pictures, or a `preprocessor_config.json` says that what was exported does.
 */
export function holdsVisionNetwork(path: string): boolean {
  if (!isFolder(path)) return /\.(json|onnx|safetensors)$/.test(path) || torchFile.test(path);
  const files = filesOf(path);
  const hasGraph = files.some((file) => file === 'model.json' || file.endsWith('.onnx'));
  if (!hasGraph && !files.some((file) => file.endsWith('.safetensors') || torchFile.test(file)))
    return !files.includes('config.json') && tfjsFiles(path, files).length > 0;
  if (!files.includes('config.json')) return true;
  const config = readJsonFile(join(path, 'config.json'), z.object({ model_type: z.unknown().optional() }));
  return (
    config.model_type === undefined ||
    seeingTypes.has(config.model_type) ||
    (hasGraph && files.includes('preprocessor_config.json'))
  );
}

/** A network's file, and what is said of it beside it. */
export interface ModelFile {
  readonly file: string;
  readonly format: 'onnx' | 'tfjs' | 'torch';
  /** What messages call the network; undefined: what the file says, else the file's own name. */
  readonly label: string | undefined;
  /** Size of its pictures, [height, width], where metadata says it. */
  readonly size: ReturnType<typeof inputMetadata>['size'];
  /** The network as it was read, with the range of its metadata. */
  withRange(network: VisionNetwork): VisionNetwork;
}

/** What opens a file. */
export type NetworkReader = (file: ModelFile) => VisionNetwork;

/**
 * The file of a network.
 *
 * @param name - what messages call it
 * @throws UserError where there is none
 */
export function modelFile(path: string, name?: string): ModelFile {
  const file = findModelFile(path);
  const { preprocessing, size } = inputMetadata(dirname(file));
  return {
    file,
    size,
    format: formatOf(file),
    label: name ?? (isFolder(path) ? basename(resolve(path)) : undefined),
    withRange: (network) =>
      preprocessing?.scale.length === network.input.channels ? network.withRange(preprocessing) : network,
  };
}

function formatOf(file: string): ModelFile['format'] {
  const extension = extname(file);
  if (extension === '.onnx') return 'onnx';
  if (extension === '.json') return 'tfjs';
  if (extension === '.safetensors' || torchFile.test(file)) return 'torch';
  throw new UserError(
    foreignFormat([file]) ??
      `${file} is no vision network: wanted is a model.json of TensorFlow.js, .onnx, .safetensors or .pth`,
  );
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw fileError(error, `read ${folder}`);
  }
}

/** More .json files than these are not looked into. */
const MOST_JSON_FILES = 32;

/** Networks of TensorFlow.js in a folder that are not called `model.json`. */
function tfjsFiles(folder: string, files: readonly string[]): string[] {
  const schema = z.object({ modelTopology: z.unknown(), weightsManifest: z.array(z.unknown()) });
  const isTfjs = (file: string): boolean => {
    try {
      readJsonFile(join(folder, file), schema);
      return true;
    } catch (error) {
      if (error instanceof UserError) return false;
      throw error;
    }
  };
  return files
    .filter((file) => file.endsWith('.json'))
    .slice(0, MOST_JSON_FILES)
    .filter(isTfjs);
}

function findModelFile(path: string): string {
  if (!existsSync(path)) throw new UserError(`there is no file or folder ${path}`);
  if (!isFolder(path)) return path;
  const files = filesOf(path);
  for (const pattern of modelFiles) {
    const found = files.filter((file) => pattern.test(file)).sort();
    if (found.length > 1)
      throw new UserError(`${path} holds several networks: name one of ${found.join(', ')}`);
    if (found[0]) return join(path, found[0]);
  }
  const others = tfjsFiles(path, files).map((file) => join(path, file));
  if (others.length > 0)
    throw new UserError(`${path} holds no model.json: name the file of the network, ${others.join(' or ')}`);
  const foreign = foreignFormat(files);
  throw new UserError(
    `${path} holds no vision network${foreign === null ? '' : ` (${foreign})`}: wanted is a model.json of TensorFlow.js, .onnx, .safetensors or .pth`,
  );
}
