/** @file Byte ranges of files, read when they are asked for. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { UserError } from '../../core/errors.js';

/** Bytes [start, start + length) of a file. Throws UserError when they are not there. */
export function readRange(path: string, start: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  const file = openSync(path, 'r');
  try {
    for (let done = 0; done < length; ) {
      const count = readSync(file, bytes, done, length - done, start + done);
      if (count === 0) {
        throw new UserError(`${basename(path)} ends before byte ${start + length}: fetch the model again`);
      }
      done += count;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}

/** Size of a file in bytes; null when there is none. */
export function fileSize(path: string): number | null {
  return statSync(path, { throwIfNoEntry: false })?.size ?? null;
}
