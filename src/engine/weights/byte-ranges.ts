/** @file Ranges of a file's bytes, read when they are asked for. */
import { closeSync, readSync } from 'node:fs';
import { UserError } from '../../core/errors.js';
import { fileError } from '../../core/file-error.js';
import { openRegular } from '../../core/regular-file.js';

export function truncated(path: string, is: number, needed: number): UserError {
  return new UserError(`${path} is cut short: it has ${is} bytes of at least ${needed}; download it again`);
}

/** Bytes [start, start + bytes) of a regular file. Throws UserError when they are not there. */
export function readRange(path: string, start: number, bytes: number): ArrayBuffer {
  return withFile(path, (_size, read) => read(start, bytes));
}

/** Size of a regular file in bytes. Throws UserError when there is none, or it is something else. */
export function fileSize(path: string): number {
  return withFile(path, (size) => size);
}

/** Opens a regular file for as long as `body` runs. `read` throws UserError for bytes that are not there. */
export function withFile<T>(
  path: string,
  body: (size: number, read: (start: number, bytes: number) => ArrayBuffer) => T,
): T {
  const { file, size } = openRegular(path);
  try {
    return body(size, (start, bytes) => {
      if (start < 0 || start + bytes > size) throw truncated(path, size, start + bytes);
      return readExactly(file, path, start, bytes);
    });
  } finally {
    closeSync(file);
  }
}

/** One call reads less than 2 GiB. */
const MAX_READ = 1 << 30;

function readExactly(file: number, path: string, start: number, bytes: number): ArrayBuffer {
  const buffer = new ArrayBuffer(bytes);
  for (let done = 0; done < bytes; ) {
    const view = new Uint8Array(buffer, done, Math.min(bytes - done, MAX_READ));
    let read: number;
    try {
      read = readSync(file, view, 0, view.length, start + done);
    } catch (error) {
      throw fileError(error, `read ${path}`);
    }
    if (read === 0) throw truncated(path, start + done, start + bytes);
    done += read;
  }
  return buffer;
}
