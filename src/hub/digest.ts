/** @file The hash that names a blob. */
import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/**
 * The hash that the hub would give a file.
 *
 * @param etag - a hash of the wanted kind: 64 hex digits for SHA-256, 40 for SHA-1 of git's blob object
 */
export async function blobDigest(path: string, etag: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash(etag.length === 64 ? 'sha256' : 'sha1');
  if (etag.length !== 64) hash.update(`blob ${statSync(path).size}\0`);
  const bytes = createReadStream(path, { highWaterMark: 1 << 20 });
  await pipeline(bytes, hash, signal ? { signal } : {}).catch((error) => {
    throw signal?.aborted ? signal.reason : error;
  });
  return hash.digest('hex');
}
