/**
 * @file What a text should excite: the z of one unit, or a weighted sum of several. A negative weight asks for what a unit
 * likes least.
 */
import type { UnitContext } from './kind.js';
import type { Readout } from './readout.js';
import { formatUnitSum, parseUnitSum } from './unit-sum.js';
import { openUnit, parseTextUnit } from './units.js';

export interface TextTerm {
  /** Not 0. */
  readonly weight: number;
  readonly readout: Readout;
}

export interface TextObjective {
  /** As `formatUnitSum` writes it. */
  readonly name: string;
  /** At least one, each of another unit. */
  readonly terms: readonly TextTerm[];
}

/**
 * The objective that a text means: `L5.H1`, `-L3.N10`, `L5.H1 + 0.5*L6.N20`.
 *
 * @throws UsageError for a text that is no sum of the model's units, UserError for a file that is not there
 */
export function openObjective(text: string, context: UnitContext): TextObjective {
  const sum = parseUnitSum(text, (name) => parseTextUnit(name, context.spec));
  const terms = sum.map(({ weight, unit }) => ({ weight, readout: openUnit(unit, context) }));
  return { name: formatUnitSum(sum), terms };
}

/** The one unit of an objective, whatever its weight; null for a sum of several. */
export const soleReadout = ({ terms }: TextObjective): Readout | null =>
  terms.length === 1 ? terms[0]!.readout : null;
