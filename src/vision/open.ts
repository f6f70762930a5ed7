/** @file A vision network from its file or folder: TFJS `model.json`, ONNX, or safetensors of a known architecture. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import { openSafetensors } from '../engine/weights/safetensors.js';
import type { VisionNetwork } from './network.js';
import { meanStd } from './preprocess.js';
import { type KerasTopology, kerasNetwork } from './readers/keras.js';
import { onnxNetwork } from './readers/onnx.js';
import { type GraphModelTopology, graphModelNetwork } from './readers/tf-graph.js';
import { type ManifestGroup, TfjsWeights } from './readers/tfjs-weights.js';
import { type TorchOptions, torchNetwork } from './torch/index.js';

/** What a folder is searched for, in this order. */
const modelFiles: readonly RegExp[] = [/^model\.json$/, /^model\.safetensors$/, /\.onnx$/, /\.safetensors$/];

/**
 * Whether a file or folder looks like a vision network rather than a language model: by the file's ending, and of
 * safetensors by a `config.json` that names no `model_type` of transformers.
 */
export function holdsVisionNetwork(path: string): boolean {
  if (statSync(path).isFile()) return /\.(json|onnx|safetensors)$/.test(path);
  const files = readdirSync(path);
  if (files.some((file) => file === 'model.json' || file.endsWith('.onnx'))) return true;
  if (!files.some((file) => file.endsWith('.safetensors'))) return false;
  const config = files.includes('config.json') ? readJson(join(path, 'config.json')) : {};
  return (config as { model_type?: unknown }).model_type === undefined;
}

/**
 * Opens a network from a file, or from a folder that holds one. Weights are read when something is computed.
 *
 * @param name - what messages call it; default: what the file says, else the file's own name
 * @throws UserError when there is no network, or one that is damaged or uses something not supported
 */
export function openVisionNetwork(path: string, name?: string): VisionNetwork {
  const file = findModelFile(path);
  const label = name ?? (statSync(path).isDirectory() ? basename(resolve(path)) : undefined);
  const extension = extname(file);
  if (extension === '.onnx') return onnxNetwork(file, label ? { name: label } : {});
  if (extension === '.json') return openTfjs(file, label);
  if (extension === '.safetensors') {
    return torchNetwork(openSafetensors(file), {
      ...timmOptions(dirname(file)),
      ...(label ? { name: label } : {}),
    });
  }
  throw new UserError(
    `${file} is no vision network: wanted is a model.json of TensorFlow.js, .onnx or .safetensors`,
  );
}

function findModelFile(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new UserError(`there is no file or folder ${path}`);
  if (stats.isFile()) return path;
  const files = readdirSync(path);
  for (const pattern of modelFiles) {
    const found = files.filter((file) => pattern.test(file)).sort();
    if (found.length > 1)
      throw new UserError(`${path} holds several networks: name one of ${found.join(', ')}`);
    if (found[0]) return join(path, found[0]);
  }
  throw new UserError(
    `${path} holds no vision network: wanted is a model.json of TensorFlow.js, .onnx or .safetensors`,
  );
}

interface TfjsModel {
  readonly modelTopology?: KerasTopology & GraphModelTopology;
  readonly weightsManifest?: readonly ManifestGroup[];
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`${path} is no JSON: the download is incomplete or damaged`, { cause: error });
  }
}

function openTfjs(file: string, name?: string): VisionNetwork {
  const { modelTopology, weightsManifest } = readJson(file) as TfjsModel;
  if (!modelTopology || !weightsManifest) {
    throw new UserError(`${file} is no TensorFlow.js model: it lacks modelTopology or weightsManifest`);
  }
  const weights = new TfjsWeights(file, weightsManifest);
  return modelTopology.node
    ? graphModelNetwork(modelTopology, weights, name ?? basename(dirname(resolve(file))))
    : kerasNetwork(modelTopology, weights, name);
}

/** Size and range from the `config.json` that timm puts beside its weights. */
function timmOptions(folder: string): TorchOptions {
  const path = join(folder, 'config.json');
  if (!existsSync(path)) return {};
  const { pretrained_cfg: config } = readJson(path) as {
    pretrained_cfg?: { mean?: number[]; std?: number[]; input_size?: number[] };
  };
  return {
    ...(config?.mean && config.std ? { preprocessing: meanStd(config.mean, config.std) } : {}),
    ...(config?.input_size?.[1] ? { size: config.input_size[1] } : {}),
  };
}
