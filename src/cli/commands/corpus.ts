/** @file `superstim corpus`: the natural text that excites a unit most, from the user's own files. */
import { Command } from 'commander';
import { formatBytes, formatCount, formatSeconds, formatTable, oneLine } from '../../core/format.js';
import { finishRun } from '../../runs/events.js';
import type { CorpusResult, CorpusText } from '../../text/corpus/corpus-scan.js';
import { withInterrupt } from '../interrupt.js';
import { integer, outOption } from '../options.js';
import { Output, type Paint } from '../output.js';
import { showProgress } from '../progress.js';
import { addProbeOptions, openModel, type ProbeFlags, sessionOf } from './text-options.js';

interface CorpusFlags extends ProbeFlags {
  unit: string;
  length?: number;
  sentences?: boolean;
  top: number;
  out: string;
}

const DEFAULT_LENGTH = 12;
const LONGEST_SENTENCE = 40;

export function corpusCommand(): Command {
  const command = new Command('corpus')
    .description('find the natural text that excites a unit most, in your own files')
    .argument('<files...>', 'text files (.txt, .txt.gz) or folders of them')
    .requiredOption('-u, --unit <unit>', 'L5.H1, L3.N1000, L3.N1000:pre, …')
    .option(
      '-n, --length <tokens>',
      `tokens of a window (default: ${DEFAULT_LENGTH}, as in a search); with --sentences of the longest one (default: ${LONGEST_SENTENCE})`,
      integer({ min: 1 }),
    )
    .option('--sentences', 'whole sentences instead of windows of equal length')
    .option('--top <number>', 'how many of the strongest texts to list', integer({ min: 1 }), 10)
    .addOption(outOption());
  return addProbeOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim corpus --unit L2.H3 book.txt\n  $ superstim corpus --unit L3.N17 --sentences --top 30 --json texts/',
    )
    .action(async (files: string[], flags: CorpusFlags) => {
      const output = new Output(flags);
      const document = await withInterrupt(output, (signal) => runScan(files, flags, output, signal));
      output.result(document, (paint) => formatScan(document, paint));
    });
}

type CorpusDocument = CorpusResult & { run: string };

async function runScan(
  paths: readonly string[],
  flags: CorpusFlags,
  output: Output,
  signal: AbortSignal,
): Promise<CorpusDocument> {
  const { corpusFiles } = await import('../../text/corpus/corpus-text.js');
  const { createRunFolder, recordRun } = await import('../../runs/run-folder.js');
  const { runVersions } = await import('../../runs/versions.js');
  const files = corpusFiles(paths);
  const { model, modelHash } = await openModel(flags, output, signal);
  const { checkScan, scanCorpus } = await import('../../text/corpus/corpus-scan.js');
  const { unit, top, seed, out, sentences, reference, measure, at, engine, calibrateOn } = flags;
  const cut = sentences
    ? ({ unit: 'sentence', length: flags.length ?? LONGEST_SENTENCE } as const)
    : ({ unit: 'window', length: flags.length ?? DEFAULT_LENGTH } as const);
  const options = { ...(await sessionOf(flags, model, modelHash)), unit, files, cut, top, signal };
  checkScan(options);
  const folder = createRunFolder(out, {
    command: ['superstim', ...process.argv.slice(2)],
    task: 'corpus',
    unit,
    settings: { files: [...paths], cut, top, reference, measure, at, engine, corpus: calibrateOn ?? null },
    seed,
    versions: runVersions(),
    model: { name: model.name, hash: modelHash },
  });
  const result = await finishRun(showProgress(recordRun(folder, scanCorpus(options)), output));
  folder.writeFrontier(result.frontier);
  return { run: folder.path, ...result };
}

// -- for people ------------------------------------------------------------------------------------------------

function formatScan(document: CorpusDocument, paint: Paint): string {
  const { unit, corpus, cost, hypervolume, frontier, top, run } = document;
  const read =
    corpus.bytes_read < corpus.bytes
      ? `${formatBytes(corpus.bytes_read)} of ${formatBytes(corpus.bytes)}`
      : formatBytes(corpus.bytes);
  const what = `${formatCount(cost.evaluations)} ${corpus.cut.unit}s, ${read} in ${formatSeconds(cost.seconds)}`;
  const header = ['nats', 'z', 'margin', 'rank', 'text, its peak marked'];
  return [
    paint(
      'bold',
      `${unit}: ${frontier.length} texts on the frontier, hypervolume ${hypervolume.toFixed(1)} (${what})`,
    ),
    formatTable([header, ...top.map((text) => formatText(text, paint))]),
    '',
    `run: ${run}`,
  ].join('\n');
}

function formatText({ tokens, peak, cross_entropy, z, margin, rank }: CorpusText, paint: Paint): string[] {
  const marked = tokens.map((token, i) =>
    i === peak ? paint('bold', `[${oneLine(token)}]`) : oneLine(token),
  );
  return [
    cross_entropy.toFixed(2),
    z.toFixed(2),
    margin?.toFixed(2) ?? '',
    rank === null ? '' : String(rank),
    marked.join(''),
  ];
}
