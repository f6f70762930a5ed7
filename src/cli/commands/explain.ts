/** @file `superstim explain`: why a text excites a unit. */
import { Command } from 'commander';
import type { TokenValue } from '../../core/explanation.js';
import { textBounds, textDefaults } from '../../text/names.js';
import type { ExplainResult } from '../../text/readouts/explain.js';
import type { JobCommand, Printer } from '../job-command.js';
import { integer, single } from '../options.js';
import { addProbeOptions, type ProbeFlags, probeFields } from './probe-options.js';
import { formatScore } from './score.js';

interface ExplainFlags extends ProbeFlags {
  text: string;
  unit: string;
  replacements: number;
  ablate?: boolean;
}

export const explainCommand: JobCommand<'explain', ExplainFlags> = {
  command() {
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
    return addProbeOptions(command).addHelpText(
      'after',
      '\nExamples:\n  $ superstim explain --unit L2.H5 --text "What does it mean?"\n  $ superstim explain --unit L2.H5 --text "What does it mean?" --json | jq .rivals',
    );
  },
  job(flags) {
    const { text, unit, replacements, ablate = false } = flags;
    return { task: 'explain', ...probeFields(flags), text, unit, replacements, ablate };
  },
  format: formatExplanation,
};

/** The text as `score` prints it; below it the strongest rivals, and at the peak what else could stand there. */
function formatExplanation(explanation: ExplainResult, printer: Printer): string {
  const { unit, raw, z, peak, margin, rank, ablation, rivals, logits, substitutions } = explanation;
  const measured = { unit, raw, z, peak, margin, rank, ...(ablation && { ablation }) };
  const rows = [
    ['rivals', rivals.slice(0, 5).map((rival) => `${rival.unit} ${rival.z.toFixed(2)}`)],
    ['z with another token at the peak', (substitutions[peak.position] ?? []).map(tokenValue)],
    ['writes most to', (logits?.top ?? []).slice(0, 5).map(tokenValue)],
  ] as const;
  const evidence = rows.filter(([, values]) => values.length > 0);
  return [
    formatScore({ ...explanation, units: [measured] }, printer),
    '',
    printer.table(evidence.map(([name, values]) => [name, values.join('  ')])),
  ].join('\n');
}

const tokenValue = ({ token, value }: TokenValue): string => `${JSON.stringify(token)} ${value.toFixed(2)}`;
