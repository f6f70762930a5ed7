/** @file `superstim score`: what a text does to units. */
import { Command } from 'commander';
import { repeated } from '../options.js';
import { perform } from '../perform.js';
import { addProbeOptions, neuronpediaOption, type ProbeFlags, probeFields } from './probe-options.js';

interface ScoreFlags extends ProbeFlags {
  text: string;
  unit: string[];
  ablate?: boolean;
  raw?: boolean;
  neuronpedia?: string;
}

export function scoreCommand(): Command {
  const command = new Command('score')
    .description('show what a text does to units, token by token')
    .requiredOption('-t, --text <text>', 'the text')
    .requiredOption(
      '-u, --unit <unit>',
      'L5.H1, L3.N1000, -L3.N10, "L5.H1 + 0.5*L6.N20", … (may be given several times)',
      repeated(String),
    )
    .option(
      '--ablate',
      'also what the predictions lose when the unit does what it does on average (KL, nats)',
    )
    .option('--raw', 'only raw values, at once: no z, which needs calibration');
  return addProbeOptions(command)
    .addOption(neuronpediaOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim score --model ./stories260k --unit L2.H3 --text "Once upon a time"',
    )
    .action(async (flags: ScoreFlags) => {
      const { text, unit: units, ablate = false, raw = false, neuronpedia = null } = flags;
      const fields = { text, units, ablate, raw, neuronpedia };
      await perform({ task: 'score', ...probeFields(flags), ...fields }, flags);
    });
}
