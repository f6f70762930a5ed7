/**
 * @file The statistics of all units that ship with an embedded model: `units.safetensors`, and `units.json` which
 * says over what they were counted.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors, writeSafetensors } from '../engine/safetensors.js';
import type { WeightArray } from '../engine/weights.js';
import { writeFileByRename } from '../runs/files.js';
import type { GroupStatistics } from './calibration.js';
import { groupKey, type UnitGroup } from './measures.js';

const arraysFile = 'units.safetensors';
const countFile = 'units.json';

/** Which quantiles are kept, rows of `quantiles`. */
export const keptQuantiles = [0.5, 0.9, 0.99, 0.999] as const;

/** Statistics of the units of a group, with the shape of their distribution. */
export interface UnitStatistics extends GroupStatistics {
  /** `[quantile, unit]` */
  readonly quantiles: Float32Array;
}

/** What the units were counted over. */
export interface CountedText {
  /** Positions counted: every one but the first of each sequence. */
  readonly tokens: number;
  /** Of a sequence, BOS included. */
  readonly positions: number;
  /** Says which text this is, as `CalibrationText.key` does. */
  readonly key: string;
}

export interface ShippedStatistics {
  readonly text: CountedText;
  /** Undefined for a group that was not counted. */
  load(group: UnitGroup): UnitStatistics | undefined;
}

/** The statistics in a model folder, or undefined when it has none. */
export function shippedStatistics(folder: string): ShippedStatistics | undefined {
  const path = join(folder, arraysFile);
  if (!existsSync(path) || !existsSync(join(folder, countFile))) return undefined;
  const text = JSON.parse(readFileSync(join(folder, countFile), 'utf8')) as CountedText;
  const file = openSafetensors(path);
  return {
    text,
    load(group) {
      const key = groupKey(group);
      if (!file.has(`${key} mean`)) return undefined;
      const read = (name: string) => file.read(`${key} ${name}`);
      return {
        mean: read('mean'),
        deviation: read('deviation'),
        max: read('max'),
        quantiles: read('quantiles'),
        ...(file.has(`${key} centre`) && { centre: read('centre') }),
      };
    },
  };
}

/**
 * Writes them into a model folder.
 *
 * @param meanDeltas - by layer, the mean residual delta of each head, `[head, dModel]`
 */
export function writeUnitStatistics(
  folder: string,
  text: CountedText,
  groups: Iterable<readonly [UnitGroup, UnitStatistics]>,
  meanDeltas: readonly WeightArray[],
): void {
  const arrays: [string, WeightArray][] = [];
  for (const [group, statistics] of groups) {
    const units = statistics.mean.length;
    for (const [name, data] of Object.entries(statistics) as [string, Float32Array][]) {
      const shape = name === 'quantiles' ? [keptQuantiles.length, units] : [data.length];
      arrays.push([`${groupKey(group)} ${name}`, { shape, data }]);
    }
  }
  for (const [layer, delta] of meanDeltas.entries()) arrays.push([`heads ${layer} mean delta`, delta]);
  writeSafetensors(join(folder, arraysFile), arrays);
  writeFileByRename(
    join(folder, countFile),
    `${JSON.stringify({ ...text, quantiles: keptQuantiles }, null, 2)}\n`,
  );
}
