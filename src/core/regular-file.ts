/**
 * @file Reading files that others made or named: only regular ones (a pipe or device would never end), and none larger
 * than its reader can use.
 */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { UserError } from './errors.js';
import { fileError } from './file-error.js';

/** An open file; the caller closes it. */
export interface RegularFile {
  readonly file: number;
  /** Bytes when it was opened. */
  readonly size: number;
}

/**
 * Opens a file for reading.
 *
 * @param limit - largest size in bytes
 * @throws UserError when it is missing, cannot be read, is no regular file, or is larger than the limit
 */
export function openRegular(path: string, limit = Number.POSITIVE_INFINITY): RegularFile {
  let file: number;
  try {
    // Without waiting: the opening of a pipe would wait for a writer. Windows knows no such flag.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw fileError(error, `read ${path}`);
  }
  try {
    const stats = fstatSync(file);
    const fault = faultOf(stats, limit);
    if (fault !== null) throw new UserError(`could not read ${path}: ${fault}`);
    return { file, size: stats.size };
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/**
 * Reads a whole file into memory; at most as many bytes as it had when it was opened.
 *
 * @param limit - largest size in bytes
 * @throws UserError as `openRegular`
 */
export function readRegularFile(path: string, limit: number): Buffer {
  const { file, size } = openRegular(path, limit);
  try {
    const bytes = Buffer.allocUnsafe(size);
    let done = 0;
    while (done < size) {
      const count = readSync(file, bytes, done, size - done, done);
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  } catch (error) {
    throw fileError(error, `read ${path}`);
  } finally {
    closeSync(file);
  }
}

/** Bytes of a regular file; null when there is none, whatever the reason (links that lead in a circle, a folder). */
export function regularSize(path: string): number | null {
  try {
    const stats = statSync(path);
    return stats.isFile() ? stats.size : null;
  } catch {
    return null;
  }
}

function faultOf(stats: Stats, limit: number): string | null {
  if (stats.isDirectory()) return 'that is a folder, not a file; check the path';
  if (!stats.isFile()) return 'that is a pipe, a socket or a device, not a file; give a regular file';
  if (stats.size <= limit) return null;
  return `it has ${megabytes(stats.size)} MB, more than the ${megabytes(limit)} MB that such a file may have; check that it is the right file`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toLocaleString('en-US', { maximumFractionDigits: 1 });
}
