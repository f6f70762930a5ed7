/**
 * @file Names that come from outside (a hub's listing, a weight map, a manifest, a log): whether they may be used as
 * files of a folder. Every reader and writer of such a name asks here.
 */
import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { UserError } from './errors.js';

/** Bytes of one part of a path, on the usual file systems. */
const maxPart = 255;
/** Bytes of a whole path, on Linux; with room for what is written beside the file. */
const maxPath = 4000;
/** Links one after the other, as on Linux. */
const maxLinks = 40;

/** A snapshot of the Hugging Face cache; its files are links into the `blobs` of the same model. */
const snapshot = /^(.*[\\/][a-z]+--[^\\/]+)[\\/]snapshots[\\/][^\\/]+(?:[\\/]|$)/;

/**
 * The absolute path of a file that something from outside names, which need not exist. Symbolic links are followed:
 * where they end must be in the folder too, or among the blobs that a snapshot of the Hugging Face cache links to.
 *
 * @param folder - where the file must be; trusted, and may itself be a link
 * @param name - relative, with `/` between its parts
 * @param by - what names it, for the message: `model.safetensors.index.json`
 * @throws UserError when the name may not be used
 */
export function inside(folder: string, name: string, by: string): string {
  const refuse = (why: string) =>
    new UserError(
      `${by} names ${quoted(name)}, which ${why}; it is not used: get it from a source that you trust`,
    );
  const fault = nameFault(name);
  if (fault !== null) throw refuse(fault);
  const base = resolve(folder);
  const path = join(base, name);
  if (Buffer.byteLength(path) > maxPath) throw refuse('is too long for the file system');
  try {
    const end = linksFollowed(path);
    const root = linksFollowed(base);
    const repo = snapshot.exec(root)?.[1];
    const roots = repo === undefined ? [root] : [root, linksFollowed(join(repo, 'blobs'))];
    if (roots.some((folder) => isUnder(end, folder))) return path;
  } catch (error) {
    throw refuse(`cannot be looked up (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
  throw refuse('is a symbolic link that leads out of its folder');
}

/** What forbids a relative name whatever the folder holds; null when nothing does. */
function nameFault(name: string): string | null {
  if (name === '') return 'is empty';
  // Also those that turn the order of what follows around, on a terminal or a page.
  if (/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u.test(name)) return 'has control characters';
  if (name.includes('\\')) return 'has a backslash';
  if (name.startsWith('/') || /^[a-z]:/i.test(name)) return 'is an absolute path';
  const parts = name.split('/');
  if (parts.includes('..')) return 'leads out of its folder';
  if (parts.includes('') || parts.at(-1) === '.') return 'is no name of a file';
  if (parts.some((part) => Buffer.byteLength(part) > maxPart)) return 'is too long for the file system';
  return null;
}

/** `realpath` that continues where nothing exists yet, also behind a link whose target is gone. */
function linksFollowed(path: string, links = 0): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
  }
  const parent = linksFollowed(dirname(path), links);
  const here = join(parent, path.slice(dirname(path).length));
  if (!lstatSync(here, { throwIfNoEntry: false })?.isSymbolicLink()) return here;
  if (links === maxLinks) throw Object.assign(new Error('too many links'), { code: 'ELOOP' });
  return linksFollowed(resolve(parent, readlinkSync(here)), links + 1);
}

function isUnder(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** The name in quotation marks, cut, and without anything that acts on a terminal. */
function quoted(name: string): string {
  const short = name.length > 80 ? `${name.slice(0, 80)}…` : name;
  const code = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(short).replace(/[\p{Cc}\p{Cf}]/gu, code);
}
