/** @file Ranges of a file's bytes. */
import { closeSync, readSync } from 'node:fs';
import { UserError } from '../../core/errors.js';
import { openRegular } from '../../core/regular-file.js';

export function truncated(path: string, is: number, needed: number): UserError {
  return new UserError(`${path} is cut short: it has ${is} bytes of at least ${needed}; download it again`);
}

export function readRange(path: string, start: number, bytes: number): ArrayBuffer {
  return withFile(path, (file) => readExactly(file, path, start, bytes));
}

export function withFile<T>(path: string, body: (file: number) => T): T {
  const { file } = openRegular(path);
  try {
    return body(file);
  } finally {
    closeSync(file);
  }
}

/** One call reads less than 2 GiB. */
const MAX_READ = 1 << 30;

export function readExactly(file: number, path: string, start: number, bytes: number): ArrayBuffer {
  const buffer = new ArrayBuffer(bytes);
  let done = 0;
  while (done < bytes) {
    const view = new Uint8Array(buffer, done, Math.min(bytes - done, MAX_READ));
    const read = readSync(file, view, 0, view.length, start + done);
    if (read === 0) throw truncated(path, start + done, start + bytes);
    done += read;
  }
  return buffer;
}
