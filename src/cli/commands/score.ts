/** @file `superstim score`: what a text does to units. */
import { Command } from 'commander';
import { formatTable } from '../../core/format.js';
import { finishRun } from '../../runs/events.js';
import type { ScoreResult, UnitScore } from '../../text/score.js';
import { withInterrupt } from '../interrupt.js';
import { repeated } from '../options.js';
import { Output, type Paint } from '../output.js';
import { showProgress } from '../progress.js';
import { addProbeOptions, openModel, type ProbeFlags, sessionOf } from './text-options.js';

interface ScoreFlags extends ProbeFlags {
  text: string;
  unit: string[];
  ablate?: boolean;
}

export function scoreCommand(): Command {
  const command = new Command('score')
    .description('show what a text does to units, token by token')
    .requiredOption('-t, --text <text>', 'the text')
    .requiredOption('-u, --unit <unit>', 'L5.H1, L3.N1000, … (may be given several times)', repeated(String));
  command.option(
    '--ablate',
    'also what the predictions lose when the unit does what it does on average (KL, nats)',
  );
  return addProbeOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim score --model ./stories260k --unit L2.H3 --text "Once upon a time"',
    )
    .action(async (flags: ScoreFlags) => {
      const output = new Output(flags);
      const result = await withInterrupt(output, async (signal) => {
        const { model, modelHash } = await openModel(flags, output, signal);
        const { scoreText } = await import('../../text/score.js');
        const session = await sessionOf(flags, model, modelHash);
        return finishRun(
          showProgress(
            scoreText({
              ...session,
              signal,
              text: flags.text,
              units: flags.unit,
              ablate: flags.ablate ?? false,
            }),
            output,
          ),
        );
      });
      output.result(result, (paint) => formatScore(result, paint));
    });
}

/** A table: a row a token, and for each unit its value in sigmas; the peak marked. */
function formatScore(result: ScoreResult, paint: Paint): string {
  const { units, tokens, logprobs } = result;
  const header = ['token', 'ln p', ...units.map(({ unit }) => unit)];
  const rows = tokens.map((token, position) => [
    JSON.stringify(token).slice(1, -1),
    logprobs[position]?.toFixed(2) ?? '',
    ...units.map((unit) => formatZ(unit, position)),
  ]);
  const summaries = units.map(({ unit, peak, margin, rank, ablation }) => {
    const rivals = margin === null ? '' : `, margin ${margin.toFixed(2)}, rank ${rank}`;
    const loss = ablation ? `, ablation up to ${Math.max(...ablation).toFixed(3)} nats` : '';
    return `${unit}  z ${peak.z.toFixed(2)} at token ${peak.position} (raw ${peak.raw.toPrecision(4)})${rivals}${loss}`;
  });
  return [
    formatTable([header, ...rows]),
    '',
    `${paint('bold', `${result.cross_entropy.toFixed(2)} nats a token`)}`,
    ...summaries,
  ].join('\n');
}

function formatZ({ z, peak }: UnitScore, position: number): string {
  const value = z[position];
  return value === null || value === undefined
    ? ''
    : `${value.toFixed(2)}${position === peak.position ? ' <' : ''}`;
}
