/** @file The vision network that `--model` names. */
import { existsSync } from 'node:fs';
import { UsageError, UserError } from '../core/errors.js';
import { foreignFormat } from '../core/foreign-formats.js';
import { finishRun } from '../runs/events.js';
import type { VisionNetwork } from '../vision/network.js';
import type { Output } from './output.js';
import { showProgress } from './progress.js';

/** A model's place on disk. */
export interface ModelPlace {
  /** As the user named it. */
  readonly name: string;
  readonly path: string;
}

/**
 * Finds a model, downloading it where needed: an embedded one, a file or folder, a hub id. What is on disk is taken
 * whatever it holds.
 */
export async function findModel(name: string, output: Output, signal: AbortSignal): Promise<ModelPlace> {
  const { embeddedModels } = await import('../hub/embedded.js');
  if (!embeddedModels().includes(name) && existsSync(name)) return { name, path: name };
  const { resolveModel } = await import('../hub/resolve-model.js');
  const { folder } = await finishRun(showProgress(resolveModel(name, { signal }), output));
  return { name, path: folder };
}

/** The largest embedded network that sees, for commands that are not told one. Throws UsageError when there is none. */
export async function embeddedNetwork(): Promise<string> {
  const { listModels } = await import('../hub/list-models.js');
  const { holdsVisionNetwork } = await import('../vision/open.js');
  const found = listModels()
    .embedded.filter(({ folder }) => holdsVisionNetwork(folder))
    .sort((a, b) => b.bytes - a.bytes)[0];
  if (found !== undefined) return found.name;
  throw new UsageError('no vision network is embedded here: name one with --model');
}

/** Opens it as a network that sees. Throws UserError for a language model. */
export async function openNetwork({ name, path }: ModelPlace): Promise<VisionNetwork> {
  const { holdsVisionNetwork, openVisionNetwork } = await import('../vision/open.js');
  if (holdsVisionNetwork(path)) return openVisionNetwork(path, name === path ? undefined : name);
  throw new UserError(
    foreignFormat([path]) ??
      `${name} is no vision network: wanted is a model.json of TensorFlow.js, .onnx, or .safetensors of a known network`,
  );
}
