/** @file Files of the cache that are no longer what was downloaded. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../core/errors.js';
import { regularSize } from '../core/regular-file.js';
import { openSafetensors } from '../engine/weights/safetensors.js';
import { blobDigest } from './digest.js';

/** Up to so many bytes a file is hashed each time; of a larger one only a header that cannot be read is a sign. */
const alwaysHashed = 32e6;

/**
 * Which files of a snapshot are damaged: their hash is not the one that their blob is named by.
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
    const size = regularSize(path);
    if (size === null) continue;
    const blob = realpathSync(path);
    const etag = basename(blob);
    // A copy, where the system has no links: nothing says what it should be.
    if (basename(dirname(blob)) !== 'blobs' || !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(etag)) continue;
    const suspect = size <= alwaysHashed || (name.endsWith('.safetensors') && !hasHeader(path));
    if (suspect && (await blobDigest(blob, etag, signal)) !== etag) damaged.push(name);
  }
  return damaged;
}

function hasHeader(path: string): boolean {
  try {
    openSafetensors(path);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}
