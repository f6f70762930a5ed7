/**
 * @file SHA-256 of files. Those of large files are kept: a model of some gigabytes takes seconds to read, and every command
 * asks for its hash.
 *
 * A kept hash holds while the file has the same device, inode, size, and times of the last write (mtime) and the last change
 * of any kind (ctime), in nanoseconds. Every write moves ctime to the present and no call sets it back, so only a file that
 * was written within one tick of the file system's clock could go unnoticed: a file that was changed less than two seconds
 * before it was read is not kept (git does the same with its index).
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { cacheFolder } from '../core/cache-folder.js';
import { UserError } from '../core/errors.js';
import { readRegularFile } from '../core/regular-file.js';
import { makeFolder, writeFileByRename } from '../runs/files.js';
import { sha256Of } from './digest.js';

/** Smaller files are read in a few hundredths of a second. */
const LARGE = 16e6;
/** Milliseconds in which a file system's clock surely moves on. */
const TICK = 2000;

const kept = z.object({ state: z.string(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** 64 hex digits. @param path - of a regular file, no link @param folder - the cache */
export async function hashFile(path: string, signal?: AbortSignal, folder = cacheFolder()): Promise<string> {
  const stats = statSync(path, { bigint: true });
  if (stats.size < LARGE) return sha256Of(path, signal);
  const state = stateOf(stats);
  const place = join(folder, 'hashes');
  const record = join(place, `${createHash('sha256').update(path).digest('hex').slice(0, 24)}.json`);
  const known = read(record);
  if (known?.state === state) return known.sha256;

  const started = Date.now();
  const sha256 = await sha256Of(path, signal);
  const unchanged = stateOf(statSync(path, { bigint: true })) === state;
  const settled = Math.max(Number(stats.mtimeMs), Number(stats.ctimeMs)) < started - TICK;
  if (unchanged && settled) write(place, record, JSON.stringify({ state, sha256 }));
  return sha256;
}

const stateOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats) =>
  [dev, ino, size, mtimeNs, ctimeNs].join(' ');

/** Undefined for a record that is missing or damaged: the hash is then computed again. */
function read(record: string): z.output<typeof kept> | undefined {
  try {
    return kept.parse(JSON.parse(readRegularFile(record, 10_000).toString()));
  } catch {
    return undefined;
  }
}

/** A cache that cannot be written costs time and nothing else. */
function write(place: string, record: string, text: string): void {
  try {
    makeFolder(place);
    writeFileByRename(record, text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}
