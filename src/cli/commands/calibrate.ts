/** @file `superstim calibrate`: what is usual for units, counted now and kept for later commands. */
import { Command } from 'commander';
import { counted, formatCount } from '../../core/format.js';
import { formatFrame } from '../../core/frame-report.js';
import type { CalibrationResult } from '../../text/readouts/calibrate-units.js';
import type { CalibrationSource } from '../../text/readouts/calibrated-unit.js';
import type { JobCommand, Printer } from '../job-command.js';
import { repeated } from '../options.js';
import { addProbeOptions, type ProbeFlags, probeFields } from './probe-options.js';

interface CalibrateFlags extends ProbeFlags {
  unit?: string[];
  all?: boolean;
}

export const calibrateCommand: JobCommand<'calibrate', CalibrateFlags> = {
  command() {
    const command = new Command('calibrate')
      .description('count mean and deviation of units over ordinary text, for later commands')
      .option('-u, --unit <unit>', 'L5.H1, L3.N1000, … (may be given several times)', repeated(String))
      .option('--all', 'all heads, neurons and experts of the model');
    return addProbeOptions(command).addHelpText(
      'after',
      '\nExamples:\n  $ superstim calibrate --model ./stories260k --unit L2.H3 --unit L3.N17\n  $ superstim calibrate --model ./stories260k --all',
    );
  },
  job(flags) {
    const { unit: units = [], all = false } = flags;
    return { task: 'calibrate', ...probeFields(flags), units, all };
  },
  format: formatCalibration,
};

/** One row per unit: mean, deviation, and what they were counted over; one row per group where all were asked for. */
function formatCalibration({ units, groups, frame }: CalibrationResult, { table }: Printer): string {
  const ofUnits = units.map(({ unit, mean, standard_deviation: deviation, ...of }) => [
    unit,
    withError(mean, of.mean_error),
    withError(deviation, of.standard_deviation_error),
    origin(of),
  ]);
  const ofGroups = groups.map(({ group, size, ...of }) => [group, formatCount(size), origin(of)]);
  return [
    ...(units.length > 0 ? [table([['unit', 'mean', 'deviation', 'counted over'], ...ofUnits])] : []),
    ...(groups.length > 0 ? [table([['group', 'units', 'counted over'], ...ofGroups])] : []),
    formatFrame(frame),
  ].join('\n\n');
}

const withError = (value: number, error: number | null): string =>
  error === null ? value.toPrecision(4) : `${value.toPrecision(4)} ± ${error.toPrecision(2)}`;

const origin = ({ tokens, source, cached }: CalibrationSource): string =>
  `${counted(tokens, 'token')} of the ${source}${cached ? ', from the cache' : ''}`;
