/** @file The dictionaries that names of units ask for. */
import { UserError } from '../../core/errors.js';
import { parseUnit, type TextUnit } from './kinds.js';
import type { LatentUnit } from './latent.js';
import { parseUnitSum } from './unit-sum.js';

/**
 * The units that objectives and a reference class name. What is no unit is passed over: it is refused where it is
 * looked up, with what the model has.
 */
export const namedUnits = (objectives: readonly string[], reference: string): TextUnit[] =>
  [...objectives, ...reference.split(',').map((name) => name.trim())].flatMap(termsOf);

/** Those that are latents. */
export const namedLatents = (objectives: readonly string[], reference: string): LatentUnit[] =>
  namedUnits(objectives, reference).filter((unit) => unit.kind === 'latent');

function termsOf(name: string): TextUnit[] {
  try {
    return parseUnitSum(name, parseUnit).map(({ unit }) => unit);
  } catch (error) {
    if (error instanceof UserError) return [];
    throw error;
  }
}
