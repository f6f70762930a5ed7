/** @file Units of a given transformer: names checked against its ranges. */
import { UsageError } from '../../core/errors.js';
import { formatUnit, type TextUnit, tryParseUnit } from '../../core/units.js';
import type { TransformerSpec } from '../lm/spec.js';

/**
 * The unit of this model that a name means. A direction's file and a logit's token are not looked up here.
 *
 * @throws UsageError that says what the model has
 */
export function parseTextUnit(name: string, spec: TransformerSpec): TextUnit {
  const unit = tryParseUnit(name);
  if (!unit || unit.kind === 'channel') {
    throw new UsageError(
      `"${name}" names no unit of this model: it has heads ${range(spec, 'H', spec.heads)}, neurons ` +
        `${range(spec, 'N', spec.dMlp)} (or N0:pre), directions L0.D:file.safetensors#name and "logit: token"`,
    );
  }
  checkTextUnit(unit, spec);
  return unit;
}

/** Throws UsageError when the model has no such layer, head or neuron. */
export function checkTextUnit(unit: TextUnit, spec: TransformerSpec): void {
  if (unit.kind === 'logit') return;
  const outside = (what: string, index: number, count: number) => {
    if (index < count) return;
    throw new UsageError(
      `${formatUnit(unit)} is outside this model: its ${what} are numbered 0 to ${count - 1}`,
    );
  };
  outside('layers', unit.layer, spec.layers);
  if (unit.kind === 'head') outside('heads', unit.head, spec.heads);
  if (unit.kind === 'neuron') outside('neurons', unit.neuron, spec.dMlp);
}

/** `L0.H0 to L4.H7` */
function range(spec: TransformerSpec, letter: string, count: number): string {
  return `L0.${letter}0 to L${spec.layers - 1}.${letter}${count - 1}`;
}
