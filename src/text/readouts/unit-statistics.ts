/** @file The statistics of all heads and neurons that ship with an embedded language model. */
import * as z from 'zod';
import type { WeightArray } from '../../engine/weights/weights.js';
import { openUnitStatistics, saveUnitStatistics, type UnitStatistics } from '../../hub/unit-statistics.js';
import type { GroupStatistics } from './group-statistics.js';
import type { ReadoutGroup } from './readout.js';

/** Statistics of the units of a group, with the shape of their distribution. */
export type TextUnitStatistics = GroupStatistics & UnitStatistics;

/** What the units were counted over. */
const countedText = z.object({
  /** Positions counted: every one but the first of each sequence. */
  tokens: z.int().positive(),
  /** Positions of a sequence, BOS included. */
  positions: z.int().positive(),
  /** Says which text this is, as `CalibrationText.key` does. */
  key: z.string(),
});
export type CountedText = Readonly<z.infer<typeof countedText>>;

export interface ShippedStatistics {
  readonly text: CountedText;
  /** Undefined for a group that was not counted. */
  load(group: ReadoutGroup): TextUnitStatistics | undefined;
}

/** The statistics in a model folder, or undefined when it has none. Throws UserError when they are damaged. */
export function shippedStatistics(folder: string): ShippedStatistics | undefined {
  const file = openUnitStatistics(folder, countedText);
  return (
    file && {
      text: file.counted,
      load(group) {
        const spread = file.load(group.key, group.size);
        const centre = group.centre && file.array(`${group.key} centre`, group.centre.size);
        return spread && { ...spread, ...(centre && { centre }) };
      },
    }
  );
}

/**
 * Writes them into a model folder.
 *
 * @param meanDeltas - by layer, the mean residual delta of each head, `[head, dModel]`
 */
export function writeUnitStatistics(
  folder: string,
  text: CountedText,
  groups: Iterable<readonly [ReadoutGroup, TextUnitStatistics]>,
  meanDeltas: readonly WeightArray[],
): void {
  const named = [...groups].map(([group, statistics]) => [group.key, statistics] as const);
  const centres = named.flatMap(([key, { centre }]): [string, WeightArray][] =>
    centre ? [[`${key} centre`, { shape: [centre.length], data: centre }]] : [],
  );
  const deltas = meanDeltas.map((delta, layer): [string, WeightArray] => [
    `heads ${layer} mean delta`,
    delta,
  ]);
  saveUnitStatistics(folder, text, named, [...centres, ...deltas]);
}
