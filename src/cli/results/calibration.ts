/** @file What `superstim calibrate` prints for people. */
import { counted, formatCount, formatTable } from '../../core/format.js';
import { formatFrame } from '../../core/frame-report.js';
import type { CalibrationResult } from '../../text/readouts/calibrate-units.js';
import type { CalibrationSource } from '../../text/readouts/calibrated-unit.js';

/** A row a unit: mean, deviation, and what they were counted over; a row a group where all were asked for. */
export function formatCalibration({ units, groups, frame }: CalibrationResult): string {
  const ofUnits = units.map(({ unit, mean, standard_deviation: deviation, ...of }) => [
    unit,
    withError(mean, of.mean_error),
    withError(deviation, of.standard_deviation_error),
    origin(of),
  ]);
  const ofGroups = groups.map(({ group, size, ...of }) => [group, formatCount(size), origin(of)]);
  return [
    ...(units.length > 0 ? [formatTable([['unit', 'mean', 'deviation', 'counted over'], ...ofUnits])] : []),
    ...(groups.length > 0 ? [formatTable([['group', 'units', 'counted over'], ...ofGroups])] : []),
    formatFrame(frame),
  ].join('\n\n');
}

const withError = (value: number, error: number | null): string =>
  error === null ? value.toPrecision(4) : `${value.toPrecision(4)} ± ${error.toPrecision(2)}`;

const origin = ({ tokens, source, cached }: CalibrationSource): string =>
  `${counted(tokens, 'token')} of the ${source}${cached ? ', from the cache' : ''}`;
