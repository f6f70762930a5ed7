/** @file `superstim score`: what a text does to units. */
import { Command } from 'commander';
import { formatFrame } from '../../core/frame-report.js';
import type { ScoreResult, UnitScore } from '../../text/score.js';
import type { JobCommand, Printer } from '../job-command.js';
import { repeated } from '../options.js';
import { formatPublished } from '../results/published.js';
import { addProbeOptions, neuronpediaOption, type ProbeFlags, probeFields } from './probe-options.js';

interface ScoreFlags extends ProbeFlags {
  text: string;
  unit: string[];
  ablate?: boolean;
  raw?: boolean;
  neuronpedia?: string;
}

export const scoreCommand: JobCommand<'score', ScoreFlags> = {
  command() {
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
      );
  },
  job(flags) {
    const { text, unit: units, ablate = false, raw = false, neuronpedia = null } = flags;
    return { task: 'score', ...probeFields(flags), text, units, ablate, raw, neuronpedia };
  },
  format: formatScore,
};

/** What of a score is printed. */
type PrintedScore = Pick<ScoreResult, 'frame' | 'tokens' | 'logprobs' | 'cross_entropy'> & {
  readonly units: readonly Omit<UnitScore, 'calibration'>[];
};

/** A table: one row per token, and for each unit its value in sigmas (raw where there is no z); the peak marked. */
export function formatScore(result: PrintedScore, { paint, table }: Printer): string {
  const { units, tokens, logprobs } = result;
  const header = ['token', 'ln p', ...units.map(({ unit }) => unit)];
  const rows = tokens.map((token, position) => [
    JSON.stringify(token).slice(1, -1),
    logprobs[position]?.toFixed(2) ?? '',
    ...units.map((unit) => formatValue(unit, position)),
  ]);
  const summaries = units.map(({ unit, peak, margin, rank, ablation }) => {
    const rivals = margin === null ? '' : `, margin ${margin.toFixed(2)}, rank ${rank}`;
    const loss = ablation ? `, ablation up to ${Math.max(...ablation).toFixed(3)} nats` : '';
    const raw = `raw ${peak.raw.toPrecision(4)}`;
    return peak.z === null
      ? `${unit}  ${raw} at token ${peak.position}`
      : `${unit}  z ${peak.z.toFixed(2)} at token ${peak.position} (${raw})${rivals}${loss}`;
  });
  return [
    table([header, ...rows]),
    '',
    `${paint('bold', `${result.cross_entropy.toFixed(2)} nats a token`)}`,
    ...summaries,
    ...units.flatMap(({ published, peak }) => (published ? formatPublished(published, peak.raw, table) : [])),
    formatFrame(result.frame),
  ].join('\n');
}

function formatValue({ z, raw, peak }: Pick<UnitScore, 'z' | 'raw' | 'peak'>, position: number): string {
  if (position === 0) return '';
  const value = peak.z === null ? raw[position]!.toPrecision(4) : z[position]!.toFixed(2);
  return `${value}${position === peak.position ? ' <' : ''}`;
}
