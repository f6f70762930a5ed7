/** @file `superstim score`: what a text does to units. */
import { Command } from 'commander';
import { UsageError, UserError } from '../../core/errors.js';
import { formatFrame } from '../../core/frame-report.js';
import { visible } from '../../core/visible.js';
import type { ScoreResult } from '../../text/score.js';
import type { UnitScore } from '../../text/scorer.js';
import type { JobCommand, NamedJob, Printer } from '../job-command.js';
import { repeated } from '../options.js';
import type { Paint } from '../output.js';
import { formatPublished } from '../results/published.js';
import { addProbeOptions, neuronpediaOption, type ProbeFlags, probeFields } from './probe-options.js';

interface ScoreFlags extends ProbeFlags {
  text?: string;
  textFile?: string;
  unit: string[];
  ablate?: boolean;
  raw?: boolean;
  neuronpedia?: string;
}

export const scoreCommand: JobCommand<'score', ScoreFlags> = {
  command() {
    const command = new Command('score')
      .description('show what a text does to units, token by token')
      .option('-t, --text <text>', 'the text')
      .option('--text-file <file>', 'or texts: a file with one per line; with --json a document per line')
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
    if (flags.text === undefined) throw new UsageError('give --text or --text-file');
    return jobOf(flags, flags.text);
  },
  several(flags) {
    if (flags.textFile === undefined) return null;
    if (flags.text !== undefined) throw new UsageError('give --text or --text-file, not both');
    return jobsOf(flags, flags.textFile);
  },
  format: formatScore,
  formatBrief(result, { paint }) {
    const text = result.tokens.slice(1).join('');
    const lines = [paint('bold', visible(text)), ...summariesOf(result), formatFrame(result.frame)];
    return `${lines.join('\n')}\n\n`;
  },
};

function jobOf(flags: ScoreFlags, text: string): object {
  const { unit: units, ablate = false, raw = false, neuronpedia = null } = flags;
  return { task: 'score', ...probeFields(flags), text, units, ablate, raw, neuronpedia };
}

/** A job for each line that is not empty. Throws UserError where there is none. */
async function* jobsOf(flags: ScoreFlags, file: string): AsyncGenerator<NamedJob, void, void> {
  const { textLines } = await import('../../core/text-lines.js');
  let [line, found] = [0, false];
  for await (const text of textLines(file)) {
    line++;
    if (text === '') continue;
    found = true;
    yield { name: `${file}:${line}`, job: jobOf(flags, text) };
  }
  if (!found) throw new UserError(`${file} has no text: give one per line`);
}

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
  return [
    table([header, ...rows]),
    '',
    ...summariesOf(result, paint),
    ...units.flatMap(({ published, peak }) => (published ? formatPublished(published, peak.raw, table) : [])),
    formatFrame(result.frame),
  ].join('\n');
}

/** The cross entropy, and a line for each unit. */
function summariesOf({ units, cross_entropy }: PrintedScore, paint: Paint = (_, text) => text): string[] {
  const lines = units.map(({ unit, peak, margin, rank, ablation }) => {
    const rivals = margin === null ? '' : `, margin ${margin.toFixed(2)}, rank ${rank}`;
    const loss = ablation ? `, ablation up to ${Math.max(...ablation).toFixed(3)} nats` : '';
    const raw = `raw ${peak.raw.toPrecision(4)}`;
    return peak.z === null
      ? `${unit}  ${raw} at token ${peak.position}`
      : `${unit}  z ${peak.z.toFixed(2)} at token ${peak.position} (${raw})${rivals}${loss}`;
  });
  return [paint('bold', `${cross_entropy.toFixed(2)} nats a token`), ...lines];
}

function formatValue({ z, raw, peak }: Pick<UnitScore, 'z' | 'raw' | 'peak'>, position: number): string {
  if (position === 0) return '';
  const value = peak.z === null ? raw[position]!.toPrecision(4) : z[position]!.toFixed(2);
  return `${value}${position === peak.position ? ' <' : ''}`;
}
