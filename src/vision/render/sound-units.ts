/** @file Which of the units can be drawn: a weight with NaN or infinity spoils those that are computed with it. */
import { UserError } from '../../core/errors.js';
import type { VisionNetwork } from '../network.js';
import { type Expression, formatExpression } from '../objectives/expression.js';
import { resolveObjective, wantedLayers } from '../objectives/objective.js';
import { soundNetwork } from '../spoilt-weights.js';

/** The units that no weight with NaN or infinity spoils. Throws UserError when all are spoilt. */
export function soundUnits(
  given: VisionNetwork,
  units: readonly Expression[],
): {
  network: VisionNetwork;
  units: readonly Expression[];
  spoilt: readonly string[];
} {
  const wanted = units.map((unit) => [...wantedLayers(resolveObjective(given, [unit]).terms).values()]);
  const { network, spoiltBy } = soundNetwork(given, wanted);
  const spoilt = units.flatMap((unit, i) =>
    spoiltBy[i] === undefined
      ? []
      : [
          `${formatExpression(unit)} cannot be drawn: the weight "${spoiltBy[i]}" that it is computed with holds NaN or infinity`,
        ],
  );
  const sound = units.filter((_, i) => spoiltBy[i] === undefined);
  if (sound.length === 0 && spoilt[0] !== undefined) throw new UserError(spoilt[0]);
  return { network, units: sound, spoilt };
}
