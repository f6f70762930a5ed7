/** @file `superstim calibrate`: what is usual for units, counted now and kept for later commands. */
import { Command } from 'commander';
import { repeated } from '../options.js';
import { perform } from '../perform.js';
import { addProbeOptions, type ProbeFlags, probeFields } from './probe-options.js';

export function calibrateCommand(): Command {
  const command = new Command('calibrate')
    .description('count mean and deviation of units over ordinary text, for later commands')
    .option('-u, --unit <unit>', 'L5.H1, L3.N1000, … (may be given several times)', repeated(String))
    .option('--all', 'all heads and neurons of the model');
  return addProbeOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim calibrate --model ./stories260k --unit L2.H3 --unit L3.N17\n  $ superstim calibrate --model ./stories260k --all',
    )
    .action(async (flags: ProbeFlags & { unit?: string[]; all?: boolean }) => {
      const { unit: units = [], all = false } = flags;
      await perform({ task: 'calibrate', ...probeFields(flags), units, all }, flags);
    });
}
