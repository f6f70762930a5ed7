/** @file `superstim atlas`: texts for very many units in one search, as a site and a table. */
import { Command } from 'commander';
import { UsageError } from '../../core/errors.js';
import { counted, formatCount, formatSeconds } from '../../core/format.js';
import { visible } from '../../core/visible.js';
import { finishRun } from '../../runs/events.js';
import type { AtlasResult } from '../../text/atlas/atlas.js';
import { textBounds, textDefaults } from '../../text/names.js';
import { imageBounds, imageDefaults } from '../../vision/names.js';
import type { JobCommand, Printer } from '../job-command.js';
import { evaluationsOption, integer, outOption, repeated, secondsOption } from '../options.js';
import { Output } from '../output.js';
import { showProgress } from '../progress.js';
import { type Sited, withSite } from '../results/site.js';
import { addProbeOptions, type ProbeFlags, probeFields } from './probe-options.js';

interface AtlasFlags extends ProbeFlags {
  unit: string[];
  steps?: number;
  length: number;
  seconds?: number;
  evaluations?: number;
  corpus?: string[];
  out: string;
}

export const atlasCommand: JobCommand<'atlas', AtlasFlags> = {
  command() {
    const command = new Command('atlas')
      .description('find texts for many units at once, as a site to browse and a table')
      .requiredOption(
        '--units, --unit <pattern>',
        'units, * for any number and 0-99 for a range: "L*.H*", "L2.N*", "sae:PATH#0-999"; may be repeated',
        repeated((text) => text),
      )
      .option('-n, --length <tokens>', 'tokens of a text', integer(textBounds.length), textDefaults.length)
      .addOption(
        secondsOption(
          'time for the search (default: until frontiers grow by less than 2 % in the last third of it)',
        ),
      )
      .addOption(evaluationsOption())
      .option(
        '--corpus <file or folder>',
        'natural text that is scored too, .txt or .txt.gz; may be repeated',
        repeated((text) => text),
      )
      .option(
        '--steps <number>',
        `of a vision network: steps of gradient ascent a picture (default: ${imageDefaults.steps})`,
        integer(imageBounds.steps),
      )
      .addOption(outOption());
    return addProbeOptions(command).addHelpText(
      'after',
      '\nExamples:\n  $ superstim atlas --units "L*.H*"\n  $ superstim atlas --model ./stories260k --units "L2.N*" --corpus texts/ --seconds 600\n  $ superstim atlas --model ./vgg19 --units "block4_conv1:*" --steps 128',
    );
  },
  job: async (flags, made) => ((await sees(flags)) ? pictureJob(flags, made) : textJob(flags)),
  performed: (flags) => ({ ...flags, site: true }),
  complete: withSite,
  format: formatAtlas,
};

/** Whether the model is a vision network. */
async function sees({ model = textDefaults.model, ...flags }: AtlasFlags): Promise<boolean> {
  const { findModel } = await import('../../jobs/open-network.js');
  const { path } = await finishRun(showProgress(findModel(model), new Output(flags)));
  const { holdsVisionNetwork } = await import('../../vision/model-file.js');
  return holdsVisionNetwork(path);
}

function textJob(flags: AtlasFlags) {
  const { unit: units, length, seconds, evaluations, corpus = [], steps } = flags;
  if (steps !== undefined) throw new UsageError('--steps is for vision networks');
  return {
    task: 'atlas',
    ...probeFields(flags),
    units,
    length,
    seconds,
    evaluations,
    naturalText: corpus,
  };
}

const ofPictures = ['model', 'unit', 'units', 'steps', 'out', 'engine', 'device', 'seed'];

/** Throws UsageError for options that a vision network has no use for. */
function pictureJob({ unit, model, steps, engine, device, seed }: AtlasFlags, command: Command) {
  const foreign = command.options.find(
    (option) =>
      !ofPictures.includes(option.attributeName()) &&
      command.getOptionValueSource(option.attributeName()) === 'cli',
  );
  if (foreign)
    throw new UsageError(`${foreign.long} is for language models, and ${model} is a vision network`);
  return { task: 'image', units: unit, model, steps, engine, device, seed };
}

/** Units listed: those with the largest hypervolume. */
const LISTED = 12;

/** @param site - the page to open */
function formatAtlas(
  { units, cost, hypervolume, run, site }: AtlasResult & Sited,
  { paint, table }: Printer,
): string {
  const what = `${counted(cost.evaluations, 'evaluation')} in ${formatSeconds(cost.seconds)}`;
  const listed = [...units].sort((a, b) => b.hypervolume - a.hypervolume).slice(0, LISTED);
  const rows = listed.map(({ unit, hypervolume, z, margin, text }) => [
    unit,
    hypervolume.toFixed(1),
    z?.toFixed(2) ?? '',
    margin?.toFixed(2) ?? '',
    text === null ? '' : visible(text),
  ]);
  return [
    paint(
      'bold',
      `${counted(units.length, 'unit')}, hypervolume ${hypervolume.toFixed(1)} in the geometric mean (${what})`,
    ),
    table([['unit', 'hypervolume', 'z', 'margin', 'strongest text below 6 nats'], ...rows]),
    ...(units.length > rows.length
      ? [`${formatCount(units.length - rows.length)} more units in its pages and atlas.parquet`]
      : []),
    '',
    ...(site ? [`site: ${site}`] : []),
    `run: ${run}`,
  ].join('\n');
}
