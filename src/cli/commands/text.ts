/** @file `superstim text`: text that is probable, strong for a unit, and weak for its rivals. */
import { Command, Option } from 'commander';
import { evenly } from '../../core/evenly.js';
import { counted, formatSeconds } from '../../core/format.js';
import { formatFrame } from '../../core/frame-report.js';
import type { ScoredText } from '../../core/scored-text.js';
import { type SearchMethodName, searchMethodNames, textBounds, textDefaults } from '../../text/names.js';
import type { TextCluster } from '../../text/readouts/clusters.js';
import type { BaselineBest, SearchResult } from '../../text/search/search.js';
import type { JobCommand, Printer } from '../job-command.js';
import {
  evaluationsOption,
  integer,
  number,
  outOption,
  repeated,
  secondsOption,
  single,
} from '../options.js';
import { formatPublished } from '../results/published.js';
import { tuiOption } from '../watch-run.js';
import { addProbeOptions, neuronpediaOption, type ProbeFlags, probeFields } from './probe-options.js';

interface TextFlags extends ProbeFlags {
  unit: string;
  method: SearchMethodName;
  length: number;
  seconds?: number;
  evaluations?: number;
  quietOn?: string[];
  gamma?: number;
  lambda?: number;
  corpus?: string[];
  prior?: string;
  policy?: string;
  neuronpedia?: string;
  out: string;
  tui?: boolean;
}

export const textCommand: JobCommand<'text', TextFlags> = {
  command() {
    const command = new Command('text')
      .description('find text that excites a unit: probable, strong, selective')
      .requiredOption(
        '-u, --unit <unit>',
        'L5.H1, L3.N1000, L3.N1000:pre, L5.D:file.safetensors#name, "logit: Paris"; -L3.N10 for what it likes least; sums: "L5.H1 + 0.5*L6.N20"',
        single,
      )
      .addOption(
        new Option('--method <method>', 'how to search')
          .choices(searchMethodNames)
          .default(textDefaults.method),
      )
      .option('-n, --length <tokens>', 'tokens of the text', integer(textBounds.length), textDefaults.length)
      .addOption(
        secondsOption(
          `time for the search (default: ${textDefaults.seconds}); samples of the prior get as much again, for comparison`,
        ),
      )
      .addOption(evaluationsOption())
      .option(
        '--gamma <number>',
        'how much rivals count in what is maximized, z - gamma rivals',
        number({ min: 0 }),
      )
      .option(
        '--lambda <number>',
        'with --method soft or sample: one weight of fluency, sigmas a nat, instead of many',
        number({ above: 0 }),
      )
      .option(
        '--quiet-on <text or file>',
        'text, or a file with one per line, that the unit should be quieter on than on what is found; may be repeated',
        repeated((text) => text),
      )
      .option(
        '--corpus <file or folder>',
        'natural text to compare with, .txt or .txt.gz (what --method corpus reads); may be repeated',
        repeated((text) => text),
      )
      .option(
        '--prior <model>',
        'the model whose probability counts, a folder, an ONNX export or a hub id (default: the probed model)',
      )
      .option(
        '--policy <folder>',
        'with --method sample: a run of "superstim tune", or a PEFT adapter, to draw from',
      )
      .addOption(outOption())
      .addOption(tuiOption());
    return addProbeOptions(command)
      .addOption(neuronpediaOption())
      .addHelpText(
        'after',
        '\nExamples:\n  $ superstim text --unit L2.H3\n  $ superstim text --model ./stories260k --unit L3.N17 --evaluations 20000 --json',
      );
  },
  /** A file of `--quiet-on` is read here: the job has the texts. */
  async job(flags) {
    const { quietTexts } = await import('../../text/search/quiet.js');
    const { unit, method, length, seconds, evaluations, gamma, lambda } = flags;
    return {
      task: 'text',
      ...probeFields(flags),
      unit,
      method,
      length,
      seconds,
      evaluations,
      gamma,
      lambda,
      quietOn: await quietTexts(flags.quietOn ?? []),
      naturalText: flags.corpus ?? [],
      prior: flags.prior ?? null,
      policy: flags.policy ?? null,
      neuronpedia: flags.neuronpedia ?? null,
    };
  },
  format: formatSearch,
};

/** Rows of the frontier that are printed; `--json` and the run folder have all. */
const ROWS = 12;

/** What `--json` prints. */
type TextDocument = SearchResult & { run: string };

/** The frontier as a table, with what it compares to and what carries the texts. */
function formatSearch(
  { frontier, baselines, clusters, cost, frame, hypervolume, published, run, unit }: TextDocument,
  { paint, table }: Printer,
): string {
  const header = ['nats', 'z', 'margin', 'rank', 'text'];
  const rows = evenly(strongestByFluency(frontier), ROWS).map(formatRow);
  const spent = `${counted(cost.evaluations, 'evaluation')} in ${formatSeconds(cost.seconds)}`;
  return [
    paint(
      'bold',
      `${unit}: ${counted(frontier.length, 'text')} on the frontier, hypervolume ${hypervolume.toFixed(1)} (${spent})`,
    ),
    table([header, ...rows]),
    ...formatBaseline(baselines.prior_best, 'sample', 'prior', table),
    ...formatBaseline(baselines.corpus_best, 'text', 'corpus', table),
    ...(clusters.length > 0
      ? ['', 'what carries them (sigmas lost without the token)', table(clusters.map(formatCluster))]
      : []),
    ...(published
      ? ['', ...formatPublished(published, Math.max(...frontier.map(({ raw }) => raw)), table)]
      : []),
    '',
    formatFrame(frame),
    `run: ${run}`,
  ].join('\n');
}

function formatBaseline(
  baseline: BaselineBest | null,
  what: string,
  of: string,
  table: Printer['table'],
): string[] {
  if (!baseline) return [];
  const title = `best of ${counted(baseline.evaluations, what)} of the ${of} (hypervolume ${baseline.hypervolume.toFixed(1)})`;
  return ['', title, table([formatRow(baseline)])];
}

function formatRow({ cross_entropy, z, margin, rank, text }: ScoredText): string[] {
  return [
    cross_entropy.toFixed(2),
    z.toFixed(2),
    margin?.toFixed(2) ?? '',
    rank === null ? '' : String(rank),
    text,
  ];
}

function formatCluster({ tokens, texts }: TextCluster): string[] {
  const shown = tokens.map(({ token, value }) => `"${token}" ${value.toFixed(1)}`).join('  ');
  return [
    shown || 'no single token',
    `${counted(texts.length, 'text')}, z up to ${texts[0]!.z.toFixed(1)}`,
    texts[0]!.text,
  ];
}

/** What no more probable text beats. */
function strongestByFluency(frontier: readonly ScoredText[]): ScoredText[] {
  let best = Number.NEGATIVE_INFINITY;
  return frontier.filter(({ z }) => {
    const better = z > best;
    if (better) best = z;
    return better;
  });
}
