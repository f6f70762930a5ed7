/** @file Writes that are whole or an error. */
import { fstatSync, writeSync } from 'node:fs';
import { fileError } from '../core/file-error.js';

/** What is needed of `process.stdout` and `process.stderr`. */
export interface TextStream {
  write(text: string): unknown;
  /** The file descriptor. */
  fd?: number;
  isTTY?: boolean;
  columns?: number;
}

/**
 * Writes a text to a stream. Where that is a file, Node writes once and leaves out in silence what a full disk has no
 * room for; so the bytes are written here until all are there.
 *
 * @throws UserError when they cannot be written
 */
export function writeWhole(stream: TextStream, text: string): void {
  if (stream.fd === undefined || !isFile(stream.fd)) {
    stream.write(text);
    return;
  }
  let rest = Buffer.from(text);
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(stream.fd, rest));
  } catch (error) {
    throw fileError(error, 'write the result');
  }
}

/** Files and devices; of pipes and sockets Node reports the errors as events. */
function isFile(fd: number): boolean {
  const stats = fstatSync(fd);
  return stats.isFile() || stats.isCharacterDevice();
}
