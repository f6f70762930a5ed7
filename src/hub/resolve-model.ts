/** @file What `--model` names: an embedded model, a folder, or a model of the Hugging Face hub. */
import { readdirSync, type Stats, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import { fileError } from '../core/file-error.js';
import { foreignFormat } from '../core/foreign-formats.js';
import { didYouMean } from '../core/nearest.js';
import type { Run } from '../runs/events.js';
import type { HubModel } from './access.js';
import type { DownloadOptions } from './download-files.js';
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
  const found = statsOf(name);
  if (found === undefined) return null;
  const foreign = foreignFormat(found.isDirectory() ? readdirSync(name) : [name]);
  if (foreign !== null && found.isFile()) throw new UserError(foreign);
  // A TensorFlow.js model is often named by its model.json.
  const folder = resolve(found.isDirectory() ? name : dirname(name));
  if (isModelFolder(folder)) return { name, source: 'folder', folder };
  throw new UserError(
    foreign !== null
      ? `${name} holds no model that is read: ${foreign}`
      : `${name} holds no model: there is neither config.json (Hugging Face) nor model.json (TensorFlow.js) in it; give a model's folder`,
  );
}

/** Undefined when there is nothing of that name. Throws UserError for a name that the file system cannot look up. */
function statsOf(name: string): Stats | undefined {
  if (name === '' || name.includes('\0')) return undefined;
  try {
    return statSync(name, { throwIfNoEntry: false });
  } catch (error) {
    throw fileError(error, `look up ${name.length > 100 ? `${name.slice(0, 100)}…` : name}`);
  }
}

/** Characters of `org` and `name`, by the hub's own rule, and of a revision that becomes a file. */
const longest = { part: 96, revision: 200 } as const;

/**
 * Reads `org/name` and `org/name@revision`; null for what cannot be one.
 */
export function parseHubModel(name: string): HubModel | null {
  const match = /^([\w-][\w.-]*\/[\w-][\w.-]*)(?:@([\w][\w./-]*))?$/.exec(name);
  if (match === null || name.includes('..') || name.includes('--')) return null;
  const [, repo = '', revision = 'main'] = match;
  if (repo.split('/').some((part) => part.length > longest.part) || revision.length > longest.revision)
    return null;
  return { repo, revision };
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
    `there is no model "${name.length > 100 ? `${name.slice(0, 100)}…` : name}"${didYouMean(name, names) || ':'} ${list}; a folder or a hub id like openai-community/gpt2 works too`,
  );
}
