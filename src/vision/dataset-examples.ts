/**
 * @file Dataset examples: of a folder of pictures those that excite a unit most, and the part of each that does it;
 * what a synthetic picture is to be compared with (Borowski et al., arXiv 2010.12606).
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import type { Engine } from '../engine/compile.js';
import { eventClock, type Run } from '../runs/events.js';
import { type ChannelMeasure, compileChannelMeasures } from './channel-measures.js';
import { type ChannelUnit, formatChannel, parseChannel } from './channel-unit.js';
import { fitInput } from './input-fit.js';
import type { Field } from './layers/receptive-field.js';
import type { InputKind } from './names.js';
import type { VisionNetwork } from './network.js';
import { type Picture, readPicture } from './picture.js';
import type { Preprocessing } from './preprocess.js';

export interface DatasetExamplesOptions {
  readonly network: VisionNetwork;
  /** Channels, by name or taken apart. */
  readonly units: readonly (ChannelUnit | string)[];
  /** Searched with its subfolders. */
  readonly folder: string;
  /** Examples a unit; default 9. */
  readonly count?: number;
  /**
   * What pictures are ranked by: `mean` of the channel over the picture, which is what the channel objective maximizes
   * (default), or its `peak`, the strongest position. A unit with a position is ranked by that position.
   */
  readonly by?: 'mean' | 'peak';
  /** Default: what the network or `fitInput` says. */
  readonly preprocessing?: Preprocessing;
  /** What the planes are; default: `usualInput`. */
  readonly input?: InputKind;
  readonly engine?: Engine;
  /** Stops between batches; what was found so far is the result. */
  readonly signal?: AbortSignal;
}

/** One picture and what it does to a unit. */
export interface DatasetExample {
  /** Relative to the folder. */
  readonly file: string;
  /** Mean of the channel over the picture. */
  readonly mean: number;
  /** The unit's position, or the strongest one. */
  readonly peak: { readonly row: number; readonly column: number; readonly activation: number };
  /** As the network saw it: cut to the middle, at the network's size. */
  readonly picture: Picture;
  /** The pixels that the peak depends on. */
  readonly field: Field;
  /** Those pixels. */
  readonly crop: Picture;
}

export interface UnitExamples {
  readonly unit: string;
  /** Strongest first. */
  readonly examples: readonly DatasetExample[];
}

export interface DatasetExamples {
  /** Pictures that were shown to the network. */
  readonly pictures: number;
  /** Files that are no pictures; each was warned of. */
  readonly skipped: number;
  readonly units: readonly UnitExamples[];
}

const BATCH = 16;

/**
 * Shows every picture of a folder to the network and keeps each unit's strongest.
 *
 * ```ts
 * const { units } = await finishRun(datasetExamples({ network, units: ['block4_conv1:4'], folder: 'photos' }));
 * ```
 *
 * @yields `progress` in pictures, `warning` for each file that cannot be read as a picture
 * @throws UserError when there is no such folder or no picture in it; UsageError for a unit the network does not have
 */
export async function* datasetExamples(options: DatasetExamplesOptions): Run<DatasetExamples> {
  const { network, folder, input, count = 9, by = 'mean', engine, signal } = options;
  const event = eventClock();
  const units = options.units.map(channelOf);
  for (const unit of units) network.layer(unit.layer);
  const files = await listFiles(folder);
  const fit = options.preprocessing
    ? { preprocessing: options.preprocessing, warning: null }
    : await fitInput(network, network.input.preprocessing, engine ? { engine } : {});
  if (fit.warning) yield event({ kind: 'warning', message: fit.warning });

  const measures = await compileChannelMeasures(network, units, fit.preprocessing, BATCH, engine);
  const best: Ranked[][] = units.map(() => []);
  let shown = 0;
  let skipped = 0;
  const start = performance.now();
  const readBatch = (from: number) =>
    Promise.all(
      files
        .slice(from, from + BATCH)
        .map((file) => load(folder, file, { ...network.input, ...(input && { input }) })),
    );
  try {
    let next = readBatch(0);
    for (let from = 0; from < files.length && !signal?.aborted; from += BATCH) {
      const read = await next;
      // Read while the network computes.
      next = readBatch(from + BATCH);
      for (const entry of read) {
        if (!(entry instanceof UserError)) continue;
        skipped++;
        yield event({ kind: 'warning', message: entry.message });
      }
      const loaded = read.filter((entry): entry is Loaded => !(entry instanceof UserError));
      if (loaded.length > 0) {
        const measured = await measures.run(loaded.map(({ picture }) => picture));
        for (const [u, unit] of units.entries()) {
          const rankedBy = unit.position ? 'peak' : by;
          const found = loaded.map((entry, i) => ({ ...entry, ...measured[u]![i]! }));
          best[u] = [...best[u]!, ...found]
            .sort((a, b) => rankOf(b, rankedBy) - rankOf(a, rankedBy))
            .slice(0, count);
        }
        shown += loaded.length;
      }
      const done = Math.min(files.length, from + BATCH);
      const rate = done / ((performance.now() - start) / 1000);
      yield event({
        kind: 'progress',
        source: 'search',
        budget: 'pictures',
        done,
        total: files.length,
        rate,
        rate_unit: 'pictures',
        seconds_left: (files.length - done) / rate,
        note: 'looking for dataset examples',
      });
    }
    await next;
  } finally {
    measures.dispose();
  }
  if (shown === 0 && !signal?.aborted)
    throw new UserError(`${folder} holds no picture; give a folder of PNG, JPEG, WebP or GIF files`);
  return {
    pictures: shown,
    skipped,
    units: units.map((unit, u) => ({
      unit: formatChannel(unit),
      examples: best[u]!.map((found) => withCrop(network, unit, found)),
    })),
  };
}

const channelOf = (unit: ChannelUnit | string): ChannelUnit =>
  typeof unit === 'string' ? parseChannel(unit) : unit;

/** All files below a folder but hidden ones, sorted by name. */
async function listFiles(folder: string): Promise<string[]> {
  const found: string[] = [];
  const visit = async (inner: string): Promise<void> => {
    const entries = await readdir(join(folder, inner), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) await visit(join(inner, entry.name));
      else found.push(join(inner, entry.name));
    }
  };
  try {
    await visit('');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    const reason =
      code === 'ENOENT' ? 'there is no such folder' : code === 'ENOTDIR' ? 'it is no folder' : code;
    throw new UserError(`could not look for pictures in ${folder}: ${reason}`, { cause: error });
  }
  return found;
}

type Ranked = Loaded & ChannelMeasure;

const rankOf = ({ mean, peak }: ChannelMeasure, by: 'mean' | 'peak') =>
  by === 'mean' ? mean : peak.activation;

interface Loaded {
  readonly file: string;
  readonly picture: Picture;
}

/** The picture, or why it is none. */
async function load(
  folder: string,
  file: string,
  shape: Parameters<typeof readPicture>[1],
): Promise<Loaded | UserError> {
  try {
    return { file, picture: await readPicture(join(folder, file), shape) };
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

function withCrop(
  network: VisionNetwork,
  unit: ChannelUnit,
  { file, mean, peak, picture }: Ranked,
): DatasetExample {
  const field = network.receptiveField(unit.layer, peak);
  return { file, mean, peak, picture, field, crop: cut(picture, field) };
}

function cut({ data, width, channels }: Picture, { top, bottom, left, right }: Field): Picture {
  const columns = right - left + 1;
  const rows = Array.from({ length: bottom - top + 1 }, (_, i) => {
    const start = ((top + i) * width + left) * channels;
    return data.subarray(start, start + columns * channels);
  });
  const cropped = new Float32Array(rows.length * columns * channels);
  for (const [i, row] of rows.entries()) cropped.set(row, i * columns * channels);
  return { width: columns, height: rows.length, channels, data: cropped };
}
