/** @file Byte ranges of files, read when they are asked for. */
import { closeSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { UserError } from '../../core/errors.js';
import { fileError } from '../../core/file-error.js';
import { openRegular } from '../../core/regular-file.js';

/** Bytes [start, start + length) of a regular file. Throws UserError when they are not there. */
export function readRange(path: string, start: number, length: number): Uint8Array<ArrayBuffer> {
  const { file, size } = openRegular(path);
  try {
    if (start + length > size) {
      throw new UserError(`${basename(path)} ends before byte ${start + length}: fetch the model again`);
    }
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const count = readSync(file, bytes, done, length - done, start + done);
      if (count === 0) throw new UserError(`${basename(path)} was cut while it was read`);
      done += count;
    }
    return bytes;
  } catch (error) {
    throw fileError(error, `read ${path}`);
  } finally {
    closeSync(file);
  }
}

/** Size of a regular file in bytes. Throws UserError when there is none, or it is something else. */
export function fileSize(path: string): number {
  const { file, size } = openRegular(path);
  closeSync(file);
  return size;
}
