/**
 * @file Where a dictionary is: beside an embedded model, on this machine, or in a repository of the Hugging Face hub, from
 * which it is downloaded.
 */
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { UserError } from '../../core/errors.js';
import type { HubModel } from '../../hub/access.js';
import { CachedRepo } from '../../hub/cache.js';
import { type DownloadOptions, downloadFiles, type WantedFiles } from '../../hub/download-files.js';
import { embeddedDictionary } from '../../hub/embedded.js';
import { parseHubModel } from '../../hub/resolve-model.js';
import { hubSettings } from '../../hub/settings.js';
import type { Run } from '../../runs/events.js';
import { dictionaryPaths, type FileNames, presentPaths, weightEnding } from './found-files.js';
import { neuronpediaDictionary, neuronpediaSource } from './neuronpedia.js';

/** A dictionary on the hub. */
interface HubDictionary {
  readonly model: HubModel;
  /** Its file of weights, or the folder, in the repository; empty for the repository itself. */
  readonly path: string;
}

/** `org/name`, `org/name@revision/folder/file`, `neuronpedia:model/source`; null for what is on this machine, or can only be there. */
function onHub(name: string): HubDictionary | null {
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

/**
 * Gets the files of a dictionary that is on the hub: weights and configuration, nothing else of the repository.
 *
 * @param name - as a unit names it; nothing is done where it is on this machine
 * @yields and throws as `downloadFiles`; UserError when there is no dictionary in that place
 */
export async function* downloadDictionary(name: string, options: DownloadOptions): Run {
  const found = onHub(name);
  if (found !== null) yield* downloadFiles(found.model, filesOf(found), options);
}

function filesOf({ path }: HubDictionary): WantedFiles {
  return {
    present(folder) {
      const paths = presentPaths(join(folder, path));
      return paths && [paths.weights, paths.config].flatMap((file) => file?.slice(folder.length + 1) ?? []);
    },
    // The configuration is fetched before the weights.
    complete: () => true,
    async *choose({ repo, list }) {
      const folder = weightEnding.test(path) ? posix.dirname(path) : path;
      const above = posix.basename(folder) === 'checkpoints' ? posix.dirname(folder) : folder;
      const isRoot = above === '' || above === '.';
      const lists = [await list(isRoot ? undefined : above)];
      // Also a folder that is named as a file would be.
      if (isRoot && path !== '' && !lists[0]!.has(path))
        lists.push(await list(folder === above ? path : folder));
      const remote = lists.flatMap((files) => [...files.values()]);
      // By full names, which is how messages have them.
      const named = new Map(remote.map((file) => [posix.join(repo, file.path), file]));
      const { weights, config } = dictionaryPaths(posix.join(repo, path), namesOf([...named.keys()]));
      yield [config, weights].flatMap((file) => named.get(file ?? '') ?? []);
    },
  };
}

function namesOf(paths: readonly string[]): FileNames {
  return {
    isFile: (path) => paths.includes(path),
    namesIn(folder) {
      const weights = paths.filter((path) => weightEnding.test(path));
      const here = weights.filter((path) => posix.dirname(path) === folder);
      if (here.length > 0 || weights.length === 0) return here.map((path) => posix.basename(path));
      throw new UserError(
        `there is no dictionary ${folder}; there are ${weights.slice(0, 3).join(', ')}${weights.length > 3 ? ', …' : ''}: name one of them`,
      );
    },
  };
}
