/** @file Where calibration is kept between processes. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../core/cache-folder.js';
import { UserError } from '../../core/errors.js';
import { readRegularFile } from '../../core/regular-file.js';
import { makeFolder, writeFileByRename } from '../../runs/files.js';
import type { GroupStatistics } from './group-statistics.js';

export interface CalibrationStore {
  load(key: string): GroupStatistics | undefined;
  save(key: string, statistics: GroupStatistics): void;
  /** Token ids drawn for calibration. */
  loadIds(key: string): Int32Array | undefined;
  saveIds(key: string, ids: Int32Array): void;
  /** Damaged files that were met since the last call, by path. */
  takeDamaged(): readonly string[];
}

/** Statistics of the widest layers are a hundredth of it. */
const MOST_BYTES = 1e9;

/** Forgets everything with the process. */
export function memoryStore(): CalibrationStore {
  const statistics = new Map<string, GroupStatistics>();
  const ids = new Map<string, Int32Array>();
  return {
    load: (key) => statistics.get(key),
    save: (key, value) => void statistics.set(key, value),
    loadIds: (key) => ids.get(key),
    saveIds: (key, value) => void ids.set(key, value),
    takeDamaged: () => [],
  };
}

/**
 * Files in a folder, one a key, each behind its checksum. What cannot be read or written costs time and nothing else:
 * it is counted anew. That of damaged files is reported (`takeDamaged`).
 *
 * @param model - hash of the model's files
 */
export function diskStore(model: string, folder = cacheFolder()): CalibrationStore {
  const place = join(folder, 'calibration', model);
  let damaged: string[] = [];
  const pathOf = (key: string, ending: string) => join(place, `${sha256(key).slice(0, 24)}.${ending}`);
  const load = (key: string, ending: string): Buffer | undefined => {
    const path = pathOf(key, ending);
    if (!existsSync(path)) return undefined;
    const content = readChecked(path, key);
    if (content === undefined) damaged.push(path);
    return content;
  };
  const save = (key: string, ending: string, content: Uint8Array) => {
    try {
      makeFolder(place);
      writeFileByRename(pathOf(key, ending), Buffer.concat([header(key, content), content]));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  };
  return {
    load: (key) => {
      const content = load(key, 'statistics');
      return content && parseStatistics(content);
    },
    save: (key, statistics) => save(key, 'statistics', Buffer.from(JSON.stringify(mapArrays(statistics)))),
    loadIds: (key) => {
      const content = load(key, 'samples');
      return content && new Int32Array(Uint8Array.from(content).buffer);
    },
    saveIds: (key, ids) => save(key, 'samples', new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength)),
    takeDamaged: () => {
      const taken = damaged;
      damaged = [];
      return taken;
    },
  };
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');

/** First line of a file: the checksum of its key and the rest. */
function header(key: string, content: Uint8Array): Buffer {
  return Buffer.from(`${sha256(Buffer.concat([Buffer.from(`${key}\n`), content]))}\n`);
}

/** What stands behind the checksum; undefined where that does not fit, or belongs to another key. */
function readChecked(path: string, key: string): Buffer | undefined {
  try {
    const bytes = readRegularFile(path, MOST_BYTES);
    const content = bytes.subarray(bytes.indexOf('\n') + 1);
    const expected = header(key, content);
    return bytes.subarray(0, bytes.length - content.length).equals(expected) ? content : undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return undefined;
  }
}

function mapArrays(statistics: GroupStatistics): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(statistics).map(([name, array]) => [name, Array.from(array as Float32Array)]),
  );
}

/** @param content - as it was written: its checksum fits */
function parseStatistics(content: Buffer): GroupStatistics {
  const arrays = JSON.parse(content.toString('utf8')) as Record<string, number[]>;
  return Object.fromEntries(
    Object.entries(arrays).map(([name, list]) => [name, Float32Array.from(list)]),
  ) as unknown as GroupStatistics;
}
