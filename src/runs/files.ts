/** @file Files that are whole or absent. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileError } from '../core/file-error.js';

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
