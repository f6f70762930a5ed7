/**
 * @file The statistics of units that ship in a model's folder: arrays in `units.safetensors`, and `units.json` which
 * says over what they were counted. What the groups of units are is the caller's business.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors, writeSafetensors } from '../engine/weights/safetensors.js';
import type { WeightArray } from '../engine/weights/weights.js';
import { writeFileByRename } from '../runs/files.js';

const arraysFile = 'units.safetensors';
const countFile = 'units.json';

/** Which quantiles are kept, rows of `quantiles`. */
export const keptQuantiles = [0.5, 0.9, 0.99, 0.999] as const;

/** How the values of a group of units are spread; one entry a unit. */
export interface UnitStatistics {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
  /** Largest value seen. */
  readonly max: Float32Array;
  /** `[quantile, unit]` */
  readonly quantiles: Float32Array;
}

/** The statistics of a model folder. @typeParam Counted - contents of `units.json` */
export interface StatisticsFile<Counted> {
  readonly counted: Counted;
  /** Undefined for a group that was not counted. */
  load(group: string): UnitStatistics | undefined;
  /** Another array that was written with them. */
  array(name: string): Float32Array | undefined;
}

/** Undefined when the folder has none. */
export function openUnitStatistics<Counted>(folder: string): StatisticsFile<Counted> | undefined {
  const path = join(folder, arraysFile);
  if (!existsSync(path) || !existsSync(join(folder, countFile))) return undefined;
  const counted = JSON.parse(readFileSync(join(folder, countFile), 'utf8')) as Counted;
  const file = openSafetensors(path);
  return {
    counted,
    load(group) {
      if (!file.has(`${group} mean`)) return undefined;
      const read = (name: string) => file.read(`${group} ${name}`);
      return {
        mean: read('mean'),
        deviation: read('deviation'),
        max: read('max'),
        quantiles: read('quantiles'),
      };
    },
    array: (name) => (file.has(name) ? file.read(name) : undefined),
  };
}

/** Writes the statistics of groups, and other arrays, into a model folder. */
export function saveUnitStatistics(
  folder: string,
  counted: object,
  groups: Iterable<readonly [group: string, statistics: UnitStatistics]>,
  others: Iterable<readonly [name: string, array: WeightArray]> = [],
): void {
  const arrays: [string, WeightArray][] = [];
  for (const [group, { mean, deviation, max, quantiles }] of groups) {
    const units = mean.length;
    for (const [name, data] of Object.entries({ mean, deviation, max }))
      arrays.push([`${group} ${name}`, { shape: [units], data }]);
    arrays.push([`${group} quantiles`, { shape: [keptQuantiles.length, units], data: quantiles }]);
  }
  writeSafetensors(join(folder, arraysFile), [...arrays, ...others]);
  const text = JSON.stringify({ ...counted, quantiles: keptQuantiles }, null, 2);
  writeFileByRename(join(folder, countFile), `${text}\n`);
}
