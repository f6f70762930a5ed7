/** @file The files of a run packed into one piece, to travel through a queue. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { inside } from '../../core/inside.js';
import { regularSize } from '../../core/regular-file.js';
import { makeFolder, writeFileByRename } from '../../runs/files.js';

/** Bytes of a packed run that a queue takes; a larger one stays with its worker. */
export const LARGEST_PACKED = 8 * 1024 ** 2;
/** Bytes of an unpacked one. */
const LARGEST = 128 * 1024 ** 2;

const packedFiles = z.record(z.string(), z.base64());

/**
 * Packs a run: the files of its folder, and `ID.json` where that is its result.
 *
 * @param folder - the folder of run folders
 * @param id - the run's name in it
 * @returns null when it is too large
 */
export function packRun(folder: string, id: string): Buffer | null {
  const run = join(folder, id);
  const names = existsSync(run)
    ? readdirSync(run, { recursive: true, encoding: 'utf8' })
        .map((name) => `${id}/${name.replaceAll('\\', '/')}`)
        // Locks and files that are being written begin with a dot.
        .filter((name) => !name.includes('/.'))
    : [];
  const files = [...names, `${id}.json`].flatMap((name) => {
    const size = regularSize(join(folder, name));
    return size === null ? [] : [{ name, size }];
  });
  if (files.reduce((sum, { size }) => sum + size, 0) > LARGEST / 2) return null;
  const contents = files.map(({ name }) => [name, readFileSync(join(folder, name)).toString('base64')]);
  const packed = gzipSync(JSON.stringify(Object.fromEntries(contents)));
  return packed.length <= LARGEST_PACKED ? packed : null;
}

/** The files of a packed run, by name. Throws UserError for what is none. */
export function readPackedRun(packed: Buffer): Map<string, Buffer> {
  try {
    const text = gunzipSync(packed, { maxOutputLength: LARGEST }).toString('utf8');
    const files = packedFiles.parse(JSON.parse(text));
    return new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text, 'base64')]));
  } catch (cause) {
    throw new UserError('the files that the queue has of a run are damaged: they are not used', { cause });
  }
}

/**
 * Writes the files of a packed run; what was there of it goes.
 *
 * @throws UserError when one is not of this run, or leads out of the folder
 */
export function unpackRun(files: ReadonlyMap<string, Buffer>, folder: string, id: string): void {
  for (const name of files.keys()) {
    if (name !== `${id}.json` && (!name.startsWith(`${id}/`) || name.includes('/.')))
      throw new UserError(`the queue has a file for the run ${id} that is not of it: nothing is written`);
  }
  rmSync(inside(folder, id, 'the queue'), { recursive: true, force: true });
  for (const [name, bytes] of files) {
    const path = inside(folder, name, 'the queue');
    makeFolder(dirname(path));
    writeFileByRename(path, bytes);
  }
}
