/** @file Gets dictionaries from the Hugging Face hub. */
import { join, posix } from 'node:path';
import { UserError } from '../../core/errors.js';
import { type DownloadOptions, downloadFiles, type WantedFiles } from '../../hub/download-files.js';
import type { Run } from '../../runs/events.js';
import { type HubDictionary, onHub } from './dictionary-path.js';
import { dictionaryPaths, type FileNames, presentPaths, weightEnding } from './found-files.js';

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
