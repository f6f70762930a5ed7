/** @file What `superstim calibrate` prints for people. */
import { formatCount, formatTable } from '../../core/format.js';
import type { CalibrationResult } from '../../text/readouts/calibrate-units.js';

/** A row a unit: mean, deviation, and what they were counted over. */
export function formatCalibration({ units }: CalibrationResult): string {
  const rows = units.map(({ unit, mean, standard_deviation: deviation, tokens, source, cached }) => [
    unit,
    mean.toPrecision(4),
    deviation.toPrecision(4),
    `${formatCount(tokens)} tokens of the ${source}${cached ? ', from the cache' : ''}`,
  ]);
  return formatTable([['unit', 'mean', 'deviation', 'counted over'], ...rows]);
}
