/** @file `superstim corpus`: the natural text that excites a unit most, from the user's own files. */
import { Command } from 'commander';
import { textBounds, textDefaults } from '../../text/names.js';
import { integer, outOption, single } from '../options.js';
import { perform } from '../perform.js';
import { addProbeOptions, type ProbeFlags, probeFields } from './probe-options.js';

interface CorpusFlags extends ProbeFlags {
  unit: string;
  length?: number;
  sentences?: boolean;
  top: number;
  out: string;
}

export function corpusCommand(): Command {
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
  return addProbeOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim corpus --unit L2.H3 book.txt\n  $ superstim corpus --unit L3.N17 --sentences --top 30 --json texts/',
    )
    .action(async (files: string[], flags: CorpusFlags) => {
      const { unit, sentences = false, length = null, top } = flags;
      await perform(
        { task: 'corpus', ...probeFields(flags), ...{ unit, files, sentences, length, top } },
        flags,
      );
    });
}
