/** @file `superstim text`: text that is probable, strong for a unit, and weak for its rivals. */
import { Command, Option } from 'commander';
import { type SearchMethodName, searchMethodNames, textBounds, textDefaults } from '../../text/names.js';
import { integer, number, outOption, repeated, single } from '../options.js';
import { perform } from '../perform.js';
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

export function textCommand(): Command {
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
      new Option(
        '-s, --seconds <number>',
        `time for the search (default: ${textDefaults.seconds}); samples of the prior get as much again, for comparison`,
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
      'text, or a file with one a line, that the unit should be quieter on than on what is found; may be repeated',
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
    )
    .action(async (flags: TextFlags) => {
      await perform({ task: 'text', ...probeFields(flags), ...(await searchFields(flags)) }, flags);
    });
}

/** A file of `--quiet-on` is read here: the job has the texts. */
async function searchFields(flags: TextFlags) {
  const { quietTexts } = await import('../../text/search/quiet.js');
  const { unit, method, length, seconds, evaluations, gamma, lambda } = flags;
  return {
    ...{ unit, method, length, seconds, evaluations, gamma, lambda },
    quietOn: await quietTexts(flags.quietOn ?? []),
    naturalText: flags.corpus ?? [],
    prior: flags.prior ?? null,
    policy: flags.policy ?? null,
    neuronpedia: flags.neuronpedia ?? null,
  };
}
