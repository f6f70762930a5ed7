/** @file `superstim text`: text that is probable, strong for a unit, and weak for its rivals. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { Command, Option } from 'commander';
import { formatSeconds, formatTable, oneLine } from '../../format.js';
import { finishRun, type ScoredText } from '../../runs/events.js';
import type { TextCluster } from '../../text/clusters.js';
import type { Budget, SearchMethodName, SearchResult } from '../../text/search/search.js';
import { withInterrupt } from '../interrupt.js';
import { integer, number, outOption, repeated } from '../options.js';
import { Output, type Paint } from '../output.js';
import { showProgress } from '../progress.js';
import { addProbeOptions, openModel, type ProbeFlags, sessionOf } from './text-options.js';

interface TextFlags extends ProbeFlags {
  unit: string;
  method: SearchMethodName;
  length: number;
  seconds?: number;
  evaluations?: number;
  quietOn?: string[];
  out: string;
}

const methods: readonly SearchMethodName[] = ['auto', 'evolve', 'epo', 'gcg', 'prior'];
const DEFAULT_SECONDS = 20;
/** Rows of the frontier that are printed; `--json` and the run folder have all. */
const ROWS = 12;

export function textCommand(): Command {
  const command = new Command('text')
    .description('find text that excites a unit: probable, strong, selective')
    .requiredOption(
      '-u, --unit <unit>',
      'L5.H1, L3.N1000, L3.N1000:pre, L5.D:file.safetensors#name, "logit: Paris"',
    )
    .addOption(new Option('--method <method>', 'how to search').choices(methods).default('auto'))
    .option('-n, --length <tokens>', 'tokens of the text', integer({ min: 1 }), 12)
    .addOption(
      new Option(
        '-s, --seconds <number>',
        `time for the search (default: ${DEFAULT_SECONDS}); samples of the prior get as much again, for comparison`,
      )
        .argParser(number({ above: 0 }))
        .conflicts('evaluations'),
    )
    .addOption(
      new Option(
        '-e, --evaluations <number>',
        'sequences to score instead, which makes the result repeatable',
      ).argParser(integer({ min: 1 })),
    )
    .option(
      '--quiet-on <text or file>',
      'text, or a file with one a line, that the unit should be quieter on than on what is found; may be repeated',
      repeated((text) => text),
    )
    .addOption(outOption());
  return addProbeOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim text --unit L2.H3\n  $ superstim text --model ./stories260k --unit L3.N17 --evaluations 20000 --json',
    )
    .action(async (flags: TextFlags) => {
      const output = new Output(flags);
      const document = await withInterrupt(output, (signal) => runSearch(flags, output, signal));
      output.result(document, (paint) => formatResult(document, paint));
    });
}

type TextDocument = SearchResult & { run: string };

async function runSearch(flags: TextFlags, output: Output, signal: AbortSignal): Promise<TextDocument> {
  const { createRunFolder, recordRun } = await import('../../runs/run-folder.js');
  const { runVersions } = await import('../../runs/versions.js');
  const { model, modelHash } = await openModel(flags, output, signal);
  const { checkSearch, searchText } = await import('../../text/search/search.js');
  const { unit, method, length, seconds, evaluations, seed, out } = flags;
  const budget: Budget =
    evaluations !== undefined ? { evaluations } : { seconds: seconds ?? DEFAULT_SECONDS };
  const quietOn = quietTexts(flags.quietOn ?? []);
  const options = {
    ...(await sessionOf(flags, model, modelHash)),
    ...{ unit, method, length, budget, quietOn, signal },
  };
  checkSearch(options);
  const { reference, measure, at, engine, calibrateOn } = flags;
  const folder = createRunFolder(out, {
    command: ['superstim', ...process.argv.slice(2)],
    task: 'text',
    unit,
    settings: {
      method,
      reference,
      measure,
      at,
      length,
      ...budget,
      engine,
      corpus: calibrateOn ?? null,
      quietOn,
    },
    seed,
    versions: runVersions(),
    model: { name: model.name, hash: modelHash },
  });
  const result = await finishRun(showProgress(recordRun(folder, searchText(options)), output));
  folder.writeFrontier(result.frontier);
  return { run: folder.path, ...result };
}

/** The texts of `--quiet-on`: each a text, or a file with one a line. */
function quietTexts(given: readonly string[]): string[] {
  return given.flatMap((text) =>
    existsSync(text) && statSync(text).isFile()
      ? readFileSync(text, 'utf8')
          .split(/\r?\n/)
          .filter((line) => line.trim() !== '')
      : [text],
  );
}

// -- for people ------------------------------------------------------------------------------------------------

function formatResult(
  { frontier, baselines, clusters, cost, hypervolume, run, unit }: TextDocument,
  paint: Paint,
): string {
  const header = ['nats', 'z', 'margin', 'rank', 'text'].map((title) => title);
  const rows = spread(strongestByFluency(frontier), ROWS).map(formatRow);
  const prior = baselines.prior_best;
  const spent = `${cost.evaluations} evaluations in ${formatSeconds(cost.seconds)}`;
  return [
    paint(
      'bold',
      `${unit}: ${frontier.length} texts on the frontier, hypervolume ${hypervolume.toFixed(1)} (${spent})`,
    ),
    formatTable([header, ...rows]),
    ...(prior
      ? [
          '',
          `best of ${prior.evaluations} samples of the prior (hypervolume ${prior.hypervolume.toFixed(1)})`,
          formatTable([formatRow(prior)]),
        ]
      : []),
    ...(clusters.length > 0
      ? ['', 'what carries them (sigmas lost without the token)', formatTable(clusters.map(formatCluster))]
      : []),
    '',
    `run: ${run}`,
  ].join('\n');
}

function formatRow({ cross_entropy, z, margin, rank, text }: ScoredText): string[] {
  return [
    cross_entropy.toFixed(2),
    z.toFixed(2),
    margin?.toFixed(2) ?? '',
    rank === null ? '' : String(rank),
    oneLine(text),
  ];
}

function formatCluster({ tokens, texts }: TextCluster): string[] {
  const shown = tokens.map(({ token, value }) => `"${oneLine(token)}" ${value.toFixed(1)}`).join('  ');
  return [
    shown || 'no single token',
    `${texts.length} ${texts.length === 1 ? 'text' : 'texts'}, z up to ${texts[0]!.z.toFixed(1)}`,
    oneLine(texts[0]!.text),
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

/** At most `count` entries at even distances, both ends included. */
function spread<T>(list: readonly T[], count: number): T[] {
  if (list.length <= count) return [...list];
  return Array.from({ length: count }, (_, i) => list[Math.round((i * (list.length - 1)) / (count - 1))]!);
}
