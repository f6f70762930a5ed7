/** @file Where a dictionary is: beside an embedded model, on this machine, or in a repository of the Hugging Face hub. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import type { HubModel } from '../../hub/access.js';
import { CachedRepo } from '../../hub/cache.js';
import { embeddedDictionary } from '../../hub/embedded.js';
import { parseHubModel } from '../../hub/resolve-model.js';
import { hubSettings } from '../../hub/settings.js';
import { neuronpediaDictionary, neuronpediaSource } from './neuronpedia.js';

/** A dictionary on the hub. */
export interface HubDictionary {
  readonly model: HubModel;
  /** Its file of weights, or the folder, in the repository; empty for the repository itself. */
  readonly path: string;
}

/** `org/name`, `org/name@revision/folder/file`, `neuronpedia:model/source`; null for what is on this machine, or can only be there. */
export function onHub(name: string): HubDictionary | null {
  const source = neuronpediaSource({ path: name });
  if (source !== null) return onHub(neuronpediaDictionary(source).path);
  if (name.includes('\0') || existsSync(name)) return null;
  const [, repo = '', path = ''] = /^([^/]+\/[^/]+)(?:\/(.+?))?\/?$/.exec(name) ?? [];
  const model = parseHubModel(repo);
  const parts = path.split('/');
  if (model === null || parts.includes('..') || parts.includes('.')) return null;
  return { model, path };
}

/**
 * The path on this machine of a dictionary that a unit names: an embedded model's (its name wins over a folder's, as where
 * models are named), a path, or one on the hub, which is in the cache.
 *
 * @throws UserError for one on the hub that was not downloaded
 */
export function dictionaryPath(name: string): string {
  const found = onHub(name);
  if (found === null) return embeddedDictionary(name) ?? name;
  const { model, path } = found;
  const { cache } = hubSettings();
  const repo = new CachedRepo(cache, model.repo);
  const commit = repo.commitOf(model.revision);
  const there = commit === null ? null : join(repo.snapshotFolder(commit), path);
  if (there !== null && existsSync(there)) return there;
  throw new UserError(
    `there is no dictionary ${name} here, and ${model.repo} was not downloaded (${cache}); check the path`,
  );
}
