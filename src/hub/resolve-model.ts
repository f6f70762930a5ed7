/** @file What `--model` names: an embedded model, a folder, or a model of the Hugging Face hub. */
import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import { didYouMean } from '../core/nearest.js';
import type { Run } from '../runs/events.js';
import type { HubModel } from './access.js';
import type { DownloadOptions } from './download-model.js';
import { embeddedFolder, embeddedModels, isModelFolder } from './embedded.js';

export interface ResolvedModel {
  /** As the user named it. */
  name: string;
  source: 'embedded' | 'folder' | 'hub';
  /** Absolute; holds `config.json` (Hugging Face layout) or `model.json` (TensorFlow.js). */
  folder: string;
}

/**
 * Finds a model, downloading it where needed. An embedded name wins over a folder of that name, a folder over a
 * hub id; `./name` is always a folder.
 *
 * @yields what the download says (`downloadModel`); nothing for a model that is here
 * @throws UserError when there is no such model, or it cannot be had
 */
export async function* resolveModel(
  name: string,
  { embedded = embeddedFolder, ...options }: DownloadOptions & { embedded?: string } = {},
): Run<ResolvedModel> {
  const local = resolveLocal(name, embedded);
  if (local !== null) return local;
  const model = parseHubModel(name);
  if (model === null) throw unknownModel(name, embedded);
  // Here and not above: the library takes longer to load than an embedded model to be found.
  const { downloadModel } = await import('./download-model.js');
  return { name, source: 'hub', folder: yield* downloadModel(model, options) };
}

/**
 * Finds a model that is on this machine; null when only the hub could have it.
 *
 * @param embedded - the folder of embedded models
 */
export function resolveLocal(name: string, embedded = embeddedFolder): ResolvedModel | null {
  if (embeddedModels(embedded).includes(name)) {
    return { name, source: 'embedded', folder: join(embedded, name) };
  }
  const found = name === '' ? undefined : statSync(name, { throwIfNoEntry: false });
  if (found === undefined) return null;
  // A TensorFlow.js model is often named by its model.json.
  const folder = resolve(found.isDirectory() ? name : dirname(name));
  if (isModelFolder(folder)) return { name, source: 'folder', folder };
  throw new UserError(
    `${name} holds no model: there is neither config.json (Hugging Face) nor model.json (TensorFlow.js) in it; give a model's folder`,
  );
}

/**
 * Reads `org/name` and `org/name@revision`; null for what cannot be one.
 */
export function parseHubModel(name: string): HubModel | null {
  const match = /^([\w-][\w.-]*\/[\w-][\w.-]*)(?:@([\w][\w./-]*))?$/.exec(name);
  if (match === null || name.includes('..') || name.includes('--')) return null;
  return { repo: match[1]!, revision: match[2] ?? 'main' };
}

function unknownModel(name: string, embedded: string): UserError {
  const names = embeddedModels(embedded);
  if (/^[.~]?[\\/]|^\.\.[\\/]|[\\/].*[\\/]/.test(name)) {
    return new UserError(
      `there is no folder ${name}; check the path, or see "superstim models" for what is there`,
    );
  }
  const list = names.length > 0 ? `embedded are ${names.join(', ')}` : 'none is embedded';
  return new UserError(
    `there is no model "${name}"${didYouMean(name, names) || ':'} ${list}; a folder or a hub id like openai-community/gpt2 works too`,
  );
}
