/** @file The hash that names a blob. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/**
 * The hash that the hub would give a file.
 *
 * @param etag - a hash of the wanted kind: 64 hex digits for SHA-256, 40 for SHA-1 of git's blob object
 */
export function blobDigest(path: string, etag: string, signal?: AbortSignal): Promise<string> {
  if (etag.length === 64) return sha256Of(path, signal);
  return digest(createHash('sha1').update(`blob ${statSync(path).size}\0`), path, signal);
}

/** SHA-256 of a file, as 64 hex digits. */
export function sha256Of(path: string, signal?: AbortSignal): Promise<string> {
  return digest(createHash('sha256'), path, signal);
}

async function digest(hash: Hash, path: string, signal?: AbortSignal): Promise<string> {
  const bytes = createReadStream(path, { highWaterMark: 1 << 20 });
  await pipeline(bytes, hash, signal ? { signal } : {}).catch((error) => {
    throw signal?.aborted ? signal.reason : error;
  });
  return hash.digest('hex');
}
