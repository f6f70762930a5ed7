/**
 * @file The Hugging Face cache, laid out as Python's `huggingface_hub` does it:
 * `models--org--name/{blobs/<etag>, refs/<revision>, snapshots/<commit>/<file> -> ../../blobs/<etag>}`.
 */
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  type Dirent,
  existsSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { inside } from '../core/inside.js';
import { readRegularFile } from '../core/regular-file.js';
import { makeFolder, writeFileByRename } from '../runs/files.js';
import { hubLibrary } from './hub-library.js';
import { missingFiles } from './model-files.js';

const commitHash = /^[0-9a-f]{40}$/;

/** A commit of a model in the cache; `folder` holds its files. */
interface Snapshot {
  commit: string;
  folder: string;
  /** Needed files that are not there. */
  missing: string[];
}

/** One model's part of the cache. */
export class CachedRepo {
  readonly folder: string;

  /** @param repo - `org/name` */
  constructor(cache: string, repo: string) {
    this.folder = join(cache, hubLibrary().getRepoFolderName({ type: 'model', name: repo }));
  }

  /** The commit that a branch or tag stood for when it was last asked; a commit stands for itself. */
  commitOf(revision: string): string | null {
    if (commitHash.test(revision)) return revision;
    return readRef(join(this.folder, 'refs', revision));
  }

  /** Notes that a branch or tag now stands for a commit. */
  setCommit(revision: string, commit: string): void {
    if (revision === commit || this.commitOf(revision) === commit) return;
    const file = join(this.folder, 'refs', revision);
    makeFolder(dirname(file));
    writeFileByRename(file, commit);
  }

  /** Where the files of a commit are. */
  snapshotFolder(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  blobPath(etag: string): string {
    return join(this.folder, 'blobs', etag);
  }

  /** Makes a file of a commit point to its blob; a copy where the system has no symbolic links. */
  link(commit: string, path: string, etag: string): void {
    const file = inside(this.snapshotFolder(commit), path, "the hub's listing");
    if (existsSync(file)) return;
    makeFolder(dirname(file));
    // Renamed, to take the place of a link whose blob is gone, and of what another process makes at this moment.
    const fresh = join(dirname(file), `.${randomBytes(4).toString('hex')}.tmp`);
    try {
      symlinkSync(relative(dirname(file), this.blobPath(etag)), fresh);
    } catch {
      copyFileSync(this.blobPath(etag), fresh);
    }
    renameSync(fresh, file);
  }

  /** Removes the blob behind a file of a commit. */
  dropBlob(commit: string, path: string): void {
    rmSync(realpathSync(inside(this.snapshotFolder(commit), path, 'the cache')), { force: true });
  }
}

/** A model of the cache as `--model` would name it. */
export interface CachedModel extends Snapshot {
  /** `org/name`, with `@revision` unless that is `main`. */
  name: string;
}

/** All models of the cache that have a config.json, by name. */
export function cachedModels(cache: string): CachedModel[] {
  return subfolders(cache)
    .filter((name) => name.startsWith('models--'))
    .flatMap((name) => {
      const repo = name.slice('models--'.length).replace('--', '/');
      const refs = refsByCommit(join(cache, name, 'refs'));
      return subfolders(join(cache, name, 'snapshots')).map((commit) => {
        const revisions = refs.get(commit) ?? [commit];
        const suffix = revisions.includes('main') ? '' : `@${revisions[0]}`;
        const folder = new CachedRepo(cache, repo).snapshotFolder(commit);
        return { name: repo + suffix, commit, folder, missing: missingFiles(folder) };
      });
    })
    .filter(({ missing }) => !missing.includes('config.json'))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function refsByCommit(folder: string): Map<string, string[]> {
  const refs = new Map<string, string[]>();
  for (const { name } of listFolder(folder)) {
    const commit = readRef(join(folder, name));
    if (commit !== null) refs.set(commit, [...(refs.get(commit) ?? []), name]);
  }
  return refs;
}

function subfolders(folder: string): string[] {
  return listFolder(folder).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

function listFolder(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    return [];
  }
}

/** The commit that a file of `refs` holds; null when it holds none. */
function readRef(file: string): string | null {
  try {
    const commit = readRegularFile(file, 1000).toString().trim();
    return commitHash.test(commit) ? commit : null;
  } catch {
    return null;
  }
}
