/** @file `superstim explain`: why a text excites a unit. */
import { Command } from 'commander';
import { textBounds, textDefaults } from '../../text/names.js';
import { integer, single } from '../options.js';
import { perform } from '../perform.js';
import { addProbeOptions, type ProbeFlags, probeFields } from './probe-options.js';

interface ExplainFlags extends ProbeFlags {
  text: string;
  unit: string;
  replacements: number;
  ablate?: boolean;
}

export function explainCommand(): Command {
  const command = new Command('explain')
    .description('show why a text excites a unit: rivals, attention, logits, other tokens')
    .requiredOption('-t, --text <text>', 'the text')
    .requiredOption('-u, --unit <unit>', 'L5.H1, L3.N1000, -L3.N10, "L5.H1 + 0.5*L6.N20", …', single)
    .option(
      '--replacements <number>',
      'other tokens tried at each position; 0 leaves them out',
      integer(textBounds.replacements),
      textDefaults.replacements,
    )
    .option(
      '--ablate',
      'also what the predictions lose when the unit does what it does on average (KL, nats)',
    );
  return addProbeOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim explain --unit L2.H5 --text "What does it mean?"\n  $ superstim explain --unit L2.H5 --text "What does it mean?" --json | jq .rivals',
    )
    .action(async (flags: ExplainFlags) => {
      const { text, unit, replacements, ablate = false } = flags;
      await perform({ task: 'explain', ...probeFields(flags), text, unit, replacements, ablate }, flags);
    });
}
