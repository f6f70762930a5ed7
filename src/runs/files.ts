/** @file Files that are whole or absent, and file errors as sentences. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../core/errors.js';

/**
 * Writes a file that appears at once or not at all: under another name first, then renamed.
 *
 * @throws UserError when the folder cannot be written
 */
export function writeFileByRename(path: string, data: string | Uint8Array): void {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    writeFileSync(temporary, data);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw fileError(error, `write ${path}`);
  }
}

/**
 * Makes a folder and those above it; fine when it is there already. (`mkdirSync` with `recursive` never returns
 * where the system answers "no such file" for a folder whose parent exists, as under /proc.)
 *
 * @throws UserError when it cannot be made
 */
export function makeFolder(path: string): void {
  try {
    makeMissing(resolve(path));
  } catch (error) {
    throw fileError(error, `make the folder ${path}`);
  }
}

function makeMissing(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (!existsSync(dirname(path))) makeMissing(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have made it in the meantime.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}

const reasons: Record<string, string> = {
  EACCES: 'permission denied; choose a folder you may write to',
  EPERM: 'not permitted; choose a folder you may write to',
  EROFS: 'the file system is read-only; choose another folder',
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'your disk quota is used up; free some space',
  ENOTDIR: 'a part of that path is a file, not a folder; choose another path',
  EEXIST: 'there is a file of that name already; choose another path',
  EISDIR: 'that is a folder, not a file; choose another path',
  ENOENT: 'there is no such file or folder; check the path',
  ENAMETOOLONG: 'the name is too long; choose a shorter one',
  EMFILE: 'too many files are open; close some programs',
};

/**
 * Turns what the file system threw into a `UserError` of one sentence; anything else comes back unchanged.
 *
 * @param action - what was tried, as it continues "could not …": `write /tmp/x`
 */
export function fileError(error: unknown, action: string): unknown {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const reason = code === undefined ? undefined : reasons[code];
  return reason === undefined ? error : new UserError(`could not ${action}: ${reason}`, { cause: error });
}
