/** @file The vision network that `--model` names. */
import { existsSync } from 'node:fs';
import { UsageError, UserError } from '../core/errors.js';
import { field } from '../core/field.js';
import { foreignFormat } from '../core/foreign-formats.js';
import { embeddedModels } from '../hub/embedded.js';
import { listModels } from '../hub/list-models.js';
import { hashModel } from '../hub/model-hash.js';
import { resolveModel } from '../hub/resolve-model.js';
import type { Run } from '../runs/events.js';
import { loadVisionNetwork } from '../vision/load.js';
import { holdsVisionNetwork } from '../vision/model-file.js';
import type { VisionNetwork } from '../vision/network.js';

/** A model's place on disk. */
export interface ModelPlace {
  /** As the user named it. */
  readonly name: string;
  readonly path: string;
}

/** A vision network, and the hash of its files. */
export interface LoadedNetwork {
  readonly network: VisionNetwork;
  readonly hash: string;
}

/**
 * Finds a model, downloading it where needed: an embedded one, a file or folder, a hub id. What is on disk is taken
 * whatever it holds.
 */
export async function* findModel(name: string, signal?: AbortSignal): Run<ModelPlace> {
  if (!embeddedModels().includes(name) && existsSync(name)) return { name, path: name };
  const { folder } = yield* resolveModel(name, signal ? { signal } : {});
  return { name, path: folder };
}

/** The largest embedded vision network, the default of commands. Throws UsageError when there is none. */
export function embeddedNetwork(): string {
  const found = listModels()
    .embedded.filter(({ folder }) => holdsVisionNetwork(folder))
    .sort((a, b) => b.bytes - a.bytes)[0];
  if (found !== undefined) return found.name;
  throw new UsageError(`no vision network is embedded here: name one with ${field('model')}`);
}

/** Opens it as a vision network. Throws UserError for a language model. */
export async function networkAt({ name, path }: ModelPlace): Promise<VisionNetwork> {
  if (holdsVisionNetwork(path)) return loadVisionNetwork(path, name === path ? undefined : name);
  throw new UserError(
    foreignFormat([path]) ??
      `${name} is no vision network: wanted is a model.json of TensorFlow.js, .onnx, or .safetensors of a known network`,
  );
}

/**
 * Finds and opens a network.
 *
 * @param name - null = the largest embedded vision network
 * @yields what a download says
 */
export async function* loadNetwork(name: string | null, signal: AbortSignal): Run<LoadedNetwork> {
  const place = yield* findModel(name ?? embeddedNetwork(), signal);
  return { network: await networkAt(place), hash: await hashModel(place.path) };
}
