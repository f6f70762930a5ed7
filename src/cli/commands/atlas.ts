/** @file `superstim atlas`: texts for very many units in one search, as a site and a table. */
import { Command, Option } from 'commander';
import { textBounds, textDefaults } from '../../text/names.js';
import { integer, number, outOption, repeated } from '../options.js';
import { perform } from '../perform.js';
import { addProbeOptions, type ProbeFlags, probeFields } from './probe-options.js';

interface AtlasFlags extends ProbeFlags {
  unit: string[];
  length: number;
  seconds?: number;
  evaluations?: number;
  corpus?: string[];
  out: string;
}

export function atlasCommand(): Command {
  const command = new Command('atlas')
    .description('find texts for many units at once, as a site to browse and a table')
    .requiredOption(
      '--units, --unit <pattern>',
      'units, * for any number and 0-99 for a range: "L*.H*", "L2.N*", "sae:PATH#0-999"; may be repeated',
      repeated((text) => text),
    )
    .option('-n, --length <tokens>', 'tokens of a text', integer(textBounds.length), textDefaults.length)
    .addOption(
      new Option(
        '-s, --seconds <number>',
        'time for the search (default: until frontiers grow by less than 2 % in the last third of it)',
      )
        .argParser(number({ above: 0 }))
        .conflicts('evaluations'),
    )
    .addOption(
      new Option(
        '-e, --evaluations <number>',
        'sequences to score instead, which makes the result repeatable',
      ).argParser(integer(textBounds.evaluations)),
    )
    .option(
      '--corpus <file or folder>',
      'natural text that is scored too, .txt or .txt.gz; may be repeated',
      repeated((text) => text),
    )
    .addOption(outOption());
  return addProbeOptions(command)
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim atlas --units "L*.H*"\n  $ superstim atlas --model ./stories260k --units "L2.N*" --corpus texts/ --seconds 600',
    )
    .action(async (flags: AtlasFlags) => {
      const { unit: units, length, seconds, evaluations, corpus = [] } = flags;
      await perform(
        {
          task: 'atlas',
          ...probeFields(flags),
          ...{ units, length, seconds, evaluations, naturalText: corpus },
        },
        flags,
      );
    });
}
