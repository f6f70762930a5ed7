/** @file Files of the cache that are no longer what was downloaded. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { regularSize } from '../core/regular-file.js';
import { blobDigest } from './digest.js';
import { hashFile } from './file-hash.js';

/**
 * Which files of a snapshot are damaged: their hash is not the one that their blob is named by. A large file is read
 * only where it was written since its last hash.
 *
 * @param folder - the snapshot
 * @param names - its files
 */
export async function damagedFiles(
  folder: string,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const damaged: string[] = [];
  for (const name of names) {
    const path = join(folder, name);
    if (regularSize(path) === null) continue;
    const blob = realpathSync(path);
    const etag = basename(blob);
    // A copy, where the system has no links: nothing says what it should be.
    if (basename(dirname(blob)) !== 'blobs' || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(etag)) continue;
    const digest = etag.length === 64 ? hashFile(blob, signal) : blobDigest(blob, etag, signal);
    if ((await digest) !== etag) damaged.push(name);
  }
  return damaged;
}
