/** @file Where calibration is kept between processes. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { makeFolder, writeFileByRename } from '../../runs/files.js';
import type { GroupStatistics } from './calibration.js';

export interface CalibrationStore {
  load(key: string): GroupStatistics | undefined;
  save(key: string, statistics: GroupStatistics): void;
  /** Token ids drawn for calibration. */
  loadIds(key: string): Int32Array | undefined;
  saveIds(key: string, ids: Int32Array): void;
}

/** Forgets everything with the process. */
export function memoryStore(): CalibrationStore {
  const statistics = new Map<string, GroupStatistics>();
  const ids = new Map<string, Int32Array>();
  return {
    load: (key) => statistics.get(key),
    save: (key, value) => void statistics.set(key, value),
    loadIds: (key) => ids.get(key),
    saveIds: (key, value) => void ids.set(key, value),
  };
}

/** `SUPERSTIM_CACHE`, else `superstimulus` in the user's cache folder. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  return env.SUPERSTIM_CACHE || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'superstimulus');
}

/**
 * Files in a folder, one a key. A cache that cannot be read or written costs time and nothing else, so both fail
 * silently.
 *
 * @param model - hash of the model's files
 */
export function diskStore(model: string, folder = cacheFolder()): CalibrationStore {
  const place = join(folder, 'calibration', model);
  const file = (key: string, ending: string) =>
    join(place, `${createHash('sha256').update(key).digest('hex').slice(0, 24)}.${ending}`);
  const write = (path: string, data: string | Uint8Array) => {
    try {
      makeFolder(place);
      writeFileByRename(path, data);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  };
  return {
    load: (key) => parseStatistics(key, read(file(key, 'json'))?.toString('utf8')),
    save: (key, statistics) => write(file(key, 'json'), JSON.stringify({ key, ...mapArrays(statistics) })),
    loadIds: (key) => {
      const bytes = read(file(key, 'ids'));
      return bytes && bytes.length % 4 === 0 ? new Int32Array(Uint8Array.from(bytes).buffer) : undefined;
    },
    saveIds: (key, ids) =>
      write(file(key, 'ids'), new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength)),
  };
}

function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function mapArrays(statistics: GroupStatistics): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(statistics).map(([name, array]) => [name, Array.from(array as Float32Array)]),
  );
}

/** The statistics in a file, unless it is damaged or belongs to another key. */
function parseStatistics(key: string, text: string | undefined): GroupStatistics | undefined {
  if (text === undefined) return undefined;
  try {
    const { key: storedKey, ...arrays } = JSON.parse(text) as Record<string, unknown>;
    const whole = ['mean', 'deviation', 'max'].every((name) => Array.isArray(arrays[name]));
    if (storedKey !== key || !whole) return undefined;
    const entries = Object.entries(arrays).map(([name, list]) => [name, Float32Array.from(list as number[])]);
    return Object.fromEntries(entries) as GroupStatistics;
  } catch {
    return undefined;
  }
}
