/** @file `superstim corpus`: the natural text that excites a unit most, from the user's own files. */
import { Command } from 'commander';
import { counted, formatBytes, formatSeconds } from '../../core/format.js';
import { formatFrame } from '../../core/frame-report.js';
import { visible } from '../../core/visible.js';
import type { CorpusResult, CorpusText } from '../../text/corpus/corpus-scan.js';
import { textBounds, textDefaults } from '../../text/names.js';
import type { JobCommand, Printer } from '../job-command.js';
import { integer, outOption, single } from '../options.js';
import type { Paint } from '../output.js';
import { addProbeOptions, type ProbeFlags, probeFields } from './probe-options.js';

interface CorpusFlags extends ProbeFlags {
  unit: string;
  length?: number;
  sentences?: boolean;
  top: number;
  out: string;
}

export const corpusCommand: JobCommand<'corpus', CorpusFlags> = {
  command() {
    const command = new Command('corpus')
      .description('find the natural text that excites a unit most, in your own files')
      .argument('<files...>', 'text files (.txt, .txt.gz) or folders of them')
      .requiredOption('-u, --unit <unit>', 'L5.H1, L3.N1000, -L3.N10, "L5.H1 + 0.5*L6.N20", …', single)
      .option(
        '-n, --length <tokens>',
        `tokens of a window (default: ${textDefaults.length}, as in a search); with --sentences of the longest one (default: ${textDefaults.sentence})`,
        integer(textBounds.length),
      )
      .option('--sentences', 'whole sentences instead of windows of equal length')
      .option(
        '--top <number>',
        'how many of the strongest texts to list',
        integer(textBounds.top),
        textDefaults.top,
      )
      .addOption(outOption());
    return addProbeOptions(command).addHelpText(
      'after',
      '\nExamples:\n  $ superstim corpus --unit L2.H3 book.txt\n  $ superstim corpus --unit L3.N17 --sentences --top 30 --json texts/',
    );
  },
  job(flags, { processedArgs: [files] }) {
    const { unit, sentences = false, length = null, top } = flags;
    return { task: 'corpus', ...probeFields(flags), unit, files, sentences, length, top };
  },
  format: formatCorpus,
};

/** The strongest texts, their peaks marked. */
function formatCorpus(document: CorpusResult & { run: string }, { paint, table }: Printer): string {
  const { unit, corpus, cost, frame, hypervolume, frontier, top, run } = document;
  const read =
    corpus.bytes_read < corpus.bytes
      ? `${formatBytes(corpus.bytes_read)} of ${formatBytes(corpus.bytes)}`
      : formatBytes(corpus.bytes);
  const what = `${counted(cost.evaluations, corpus.cut.unit)}, ${read} in ${formatSeconds(cost.seconds)}`;
  const header = ['nats', 'z', 'margin', 'rank', 'text, its peak marked'];
  return [
    paint(
      'bold',
      `${unit}: ${counted(frontier.length, 'text')} on the frontier, hypervolume ${hypervolume.toFixed(1)} (${what})`,
    ),
    table([header, ...top.map((text) => formatText(text, paint))]),
    '',
    formatFrame(frame),
    `run: ${run}`,
  ].join('\n');
}

function formatText({ tokens, peak, cross_entropy, z, margin, rank }: CorpusText, paint: Paint): string[] {
  const marked = tokens.map((token, i) =>
    i === peak ? paint('bold', `[${visible(token)}]`) : visible(token),
  );
  return [
    cross_entropy.toFixed(2),
    z.toFixed(2),
    margin?.toFixed(2) ?? '',
    rank === null ? '' : String(rank),
    marked.join(''),
  ];
}
