/** @file Units of a given transformer: names checked against its ranges, and how they are read. */
import { UsageError } from '../../core/errors.js';
import type { TextModel } from '../lm/model.js';
import type { TransformerSpec } from '../lm/spec.js';
import type { MeasureChoice } from './head-measures.js';
import type { UnitContext } from './kind.js';
import { kindOf, kinds, type TextUnit, tryParseUnit } from './kinds.js';
import type { Readout } from './readout.js';

/** What names of units of a model are looked up in. */
export const unitContext = ({ spec, tokenizer }: TextModel, measure: MeasureChoice): UnitContext => ({
  spec,
  measure,
  tokenId: (text) => tokenizer.tokenId(text),
});

/**
 * The unit of this model that a name means. A direction's file and a logit's token are not looked up here.
 *
 * @throws UsageError that says what the model has
 */
export function parseTextUnit(name: string, spec: TransformerSpec): TextUnit {
  const unit = tryParseUnit(name);
  if (unit === null) {
    const ranges = Object.values(kinds).flatMap((kind) => kind.range(spec) ?? []);
    throw new UsageError(
      `"${name}" names no unit of this model: it has ${ranges.slice(0, -1).join(', ')} and ${ranges.at(-1)}`,
    );
  }
  kindOf(unit).check(unit, spec);
  return unit;
}

/**
 * How a unit is read.
 *
 * @throws UsageError for a token that the model lacks or a vector of another shape, UserError for a file that is not there
 */
export const openUnit = (unit: TextUnit, context: UnitContext): Readout => kindOf(unit).open(unit, context);
