/**
 * @file The statistics of units that ship in a model's folder: arrays in `units.safetensors`, and `units.json` which
 * says over what they were counted. What the groups of units are is the caller's business.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { UserError } from '../core/errors.js';
import { readRegularFile } from '../core/regular-file.js';
import { openSafetensors, writeSafetensors } from '../engine/weights/safetensors.js';
import type { WeightArray } from '../engine/weights/weights.js';
import { writeFileByRename } from '../runs/files.js';
import { smallFileLimit } from './model-files.js';

const arraysFile = 'units.safetensors';
const countFile = 'units.json';

/** Which quantiles are kept, rows of `quantiles`. */
export const keptQuantiles = [0.5, 0.9, 0.99, 0.999] as const;

/** How the values of a group of units are spread; one entry per unit. */
export interface UnitStatistics {
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
  /** Largest value seen. */
  readonly max: Float32Array;
  /** `[quantile, unit]` */
  readonly quantiles: Float32Array;
}

/** The statistics of a model folder. @typeParam Counted - what is read of `units.json` */
export interface StatisticsFile<Counted> {
  readonly counted: Counted;
  /**
   * Undefined for a group that was not counted.
   *
   * @param units - how many the group has, where that is known
   * @throws UserError when they are of another number, or are no statistics
   */
  load(group: string, units?: number): UnitStatistics | undefined;
  /** Another array that was written with them. Throws UserError when it has another size. */
  array(name: string, size: number): Float32Array | undefined;
}

/**
 * Undefined when the folder has none.
 *
 * @param schema - what `units.json` must have
 * @throws UserError when one of its two files is damaged or something else
 */
export function openUnitStatistics<Counted>(
  folder: string,
  schema: z.ZodType<Counted>,
): StatisticsFile<Counted> | undefined {
  const path = join(folder, arraysFile);
  if (!existsSync(path) || !existsSync(join(folder, countFile))) return undefined;
  const counted = readCounted(join(folder, countFile), schema);
  const file = openSafetensors(path);
  const read = (name: string, shape: readonly number[]): Float32Array => {
    const found = file.shape(name);
    if (`${found}` === `${shape}`) return file.read(name);
    throw damaged(path, `"${name}" has the shape [${found}] instead of [${shape}]`);
  };
  return {
    counted,
    load(group, units = file.has(`${group} mean`) ? file.shape(`${group} mean`)[0] : undefined) {
      if (units === undefined || !file.has(`${group} mean`)) return undefined;
      const statistics = {
        mean: read(`${group} mean`, [units]),
        deviation: read(`${group} deviation`, [units]),
        max: read(`${group} max`, [units]),
        quantiles: read(`${group} quantiles`, [keptQuantiles.length, units]),
      };
      const areFinite = Object.values(statistics).every((array) => array.every(Number.isFinite));
      if (areFinite && statistics.deviation.every((deviation) => deviation > 0)) return statistics;
      throw damaged(path, `the statistics of ${group} are no numbers, or spread by nothing`);
    },
    array: (name, size) => (file.has(name) ? read(name, [size]) : undefined),
  };
}

function readCounted<Counted>(path: string, schema: z.ZodType<Counted>): Counted {
  const text = readRegularFile(path, smallFileLimit).toString();
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    throw damaged(path, issue ? `${issue.message} at "${issue.path.join('.')}"` : 'it is no JSON');
  }
}

const damaged = (path: string, fault: string) =>
  new UserError(
    `${path} is damaged: ${fault}; fetch the model again, or remove ${countFile} and ${arraysFile}`,
  );

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
