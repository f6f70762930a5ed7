/** @file `superstim image`: the picture that excites a channel of a network. */
import { Command, Option } from 'commander';
import { formatSeconds, formatTable } from '../../core/format.js';
import type { EngineName } from '../../engine/compile.js';
import type { ImageDocument } from '../../jobs/render-files.js';
import type { RunDescription } from '../../runs/run-folder.js';
import {
  type OptimizerName,
  optimizerNames,
  type ParameterizationName,
  parameterizationNames,
  type RangeName,
  rangeNames,
} from '../../vision/names.js';
import type { VisionNetwork } from '../../vision/network.js';
import type { RenderOptions } from '../../vision/render/render.js';
import { withInterrupt } from '../interrupt.js';
import { embeddedNetwork, findModel, openNetwork } from '../open-network.js';
import { type CommonOptions, engineOption, integer, number, repeated, seedOption } from '../options.js';
import { Output, type Paint } from '../output.js';
import { tuiOption, watchRun } from '../watch-run.js';

interface ImageFlags extends CommonOptions {
  model?: string;
  unit: string[];
  steps?: number;
  size?: number;
  start: string;
  param: ParameterizationName;
  transforms: string;
  optimizer?: OptimizerName;
  rate?: number;
  octaves: number;
  variants: number;
  range?: RangeName;
  gif?: string;
  examples?: string;
  out?: string;
  runs: string;
  tui?: boolean;
  engine: EngineName;
  seed: number;
}

export function imageCommand(): Command {
  return new Command('image')
    .description('make the picture that excites a channel of a CNN')
    .option(
      '-m, --model <model>',
      'an embedded model, a folder or file (TFJS, ONNX, safetensors), or a hub id (default: the embedded network that sees)',
    )
    .requiredOption(
      '-u, --unit <unit>',
      'mixed3:1, block3_conv2:0-15 (a sheet), mixed3:1@7,7 (one position), logit:207, deepdream(mixed3), or a sum: "0.5*mixed3:1 - mixed3:5 - tv"; may be repeated',
      repeated((text) => text),
    )
    .option(
      '-s, --steps <number>',
      'steps of gradient ascent (default: 256)',
      integer({ min: 1, max: 100_000 }),
    )
    .option(
      '--size <pixels>',
      "height and width (default: the network's, at least 128)",
      integer({ min: 16, max: 2048 }),
    )
    .option('--start <start>', 'noise, black, or a picture file', 'noise')
    .addOption(
      new Option('--param <name>', 'what is optimized: a Fourier spectrum, pixels, or phases alone')
        .choices(parameterizationNames)
        .default('fft'),
    )
    .option(
      '--transforms <list>',
      'what the picture must survive: standard, none, or e.g. pad:12,jitter:8,scale:0.9..1.1,rotate:10,crop:0.5,blur:1,noise:0.05',
      'standard',
    )
    .addOption(
      new Option('--optimizer <name>', 'adam, or ascent by the gradient over its deviation').choices(
        optimizerNames,
      ),
    )
    .option('--rate <number>', 'length of a step', number({ above: 0 }))
    .option(
      '--octaves <number>',
      'sizes to go through, each 1.4 times the last',
      integer({ min: 1, max: 10 }),
      1,
    )
    .option(
      '--variants <number>',
      'pictures of each unit (see "diversity(layer)")',
      integer({ min: 1, max: 64 }),
      1,
    )
    .addOption(new Option('--range <range>', 'what the network was trained on').choices(rangeNames))
    .option('--gif <file>', 'animation of every step, .gif or .webp')
    .option('--examples <dir>', 'pictures of this folder that excite the unit most, beside the synthetic one')
    .option('-o, --out <file>', 'the picture, .png (default: in the run folder)')
    .option('--runs <dir>', 'folder for the run folder', 'runs')
    .addOption(tuiOption())
    .addOption(engineOption())
    .addOption(seedOption())
    .addHelpText(
      'after',
      '\nExamples:\n  $ superstim image --model ./vgg19 --unit block4_conv1:4 --out block4.png\n  $ superstim image --model ./inception_v3 --unit mixed3:1 --start black --param pixel --steps 30 --gif mixed3.gif',
    )
    .action(async (flags: ImageFlags) => {
      const output = new Output(flags);
      const document = await withInterrupt(output, (signal) => render(flags, output, signal));
      const picture = await inTerminal(document.image, flags);
      output.result(document, (paint) => picture + formatResult(document, paint));
    });
}

async function render(flags: ImageFlags, output: Output, signal: AbortSignal): Promise<ImageDocument> {
  const { checkFiles, renderToFiles } = await import('../../jobs/render-files.js');
  const files = {
    ...(flags.out && { image: flags.out }),
    ...(flags.gif && { animation: flags.gif }),
    ...(flags.examples && { examples: flags.examples }),
  };
  checkFiles(files);
  const place = await findModel(flags.model ?? (await embeddedNetwork()), output, signal);
  const network = await openNetwork(place);
  const options = await renderOptions(flags, network);
  const { createRunFolder, recordRun } = await import('../../runs/run-folder.js');
  const { runVersions } = await import('../../runs/versions.js');
  const { hashModel } = await import('../../hub/model-hash.js');
  const { steps, start, param, transforms, optimizer, rate, octaves, variants, range, engine } = flags;
  const description: RunDescription = {
    command: ['superstim', ...process.argv.slice(2)],
    task: 'image',
    unit: flags.unit.join(', '),
    settings: {
      ...{ start, param, transforms, octaves, variants, engine, size: options.size },
      ...{ steps: steps ?? null, optimizer: optimizer ?? null, rate: rate ?? null, range: range ?? null },
      examples: flags.examples ?? null,
    },
    seed: flags.seed,
    versions: runVersions(),
    model: { name: network.name, hash: await hashModel(place.path) },
  };
  const folder = createRunFolder(flags.runs, description);
  const begin = (signal: AbortSignal) =>
    recordRun(folder, renderToFiles({ ...options, signal }, folder, files));
  return watchRun(begin, { flags, output, signal, path: folder.path, description });
}

/** What the flags mean for the library. Throws UsageError and UserError for what the network does not have. */
async function renderOptions(
  flags: ImageFlags,
  network: VisionNetwork,
): Promise<RenderOptions & { size: number }> {
  const { parseUnitList } = await import('../../vision/objectives/unit-list.js');
  const { parseTransforms } = await import('../../vision/transforms/transform.js');
  const { defaultSize } = await import('../../vision/render/render.js');
  const { readPicture } = await import('../../vision/picture.js');
  const { namedRanges } = await import('../../vision/input-fit.js');
  const { size = defaultSize(network), start, steps, optimizer, rate, range } = flags;
  const { channels } = network.input;
  return {
    network,
    units: flags.unit.flatMap((text) => parseUnitList(text, network)),
    variants: flags.variants,
    size,
    start:
      start === 'noise' || start === 'black'
        ? start
        : await readPicture(start, { width: size, height: size, channels }),
    parameterization: flags.param,
    transforms: parseTransforms(flags.transforms, size),
    octaves: flags.octaves,
    seed: flags.seed,
    engine: flags.engine,
    ...(steps !== undefined && { steps }),
    ...(optimizer && { optimizer }),
    ...(rate !== undefined && { rate }),
    ...(range && { preprocessing: namedRanges[range](channels) }),
  };
}

// -- for people ------------------------------------------------------------------------------------------------

/** The picture in characters, or by the terminal's own protocol; nothing where stdout is no terminal. */
async function inTerminal(file: string, { json, color = true }: ImageFlags): Promise<string> {
  const { stdout, env } = process;
  if (json || !stdout.isTTY) return '';
  const { graphicsOf, terminalPicture } = await import('../../media/terminal-picture.js');
  const { colorDepth } = await import('../../media/styled.js');
  return terminalPicture(file, {
    columns: Math.min(stdout.columns - 1, 80),
    rows: Math.max(8, Math.min(stdout.rows - 8, 40)),
    graphics: graphicsOf(env),
    depth: colorDepth(stdout, env, color),
  });
}

function formatResult({ units, image, animation, examples, run, cost }: ImageDocument, paint: Paint): string {
  const rows = units.map(({ unit, dead, activation: { start, final } }) => [
    unit,
    dead ? 'dead' : formatActivation(start),
    dead ? '' : formatActivation(final),
  ]);
  return [
    formatTable([['unit', 'start', 'end'], ...rows]),
    '',
    `picture: ${paint('bold', image)}`,
    ...(animation ? [`animation: ${animation}`] : []),
    ...(examples ? [`examples: ${examples.image} (of ${examples.pictures} pictures)`] : []),
    `run: ${run}`,
    `${cost.steps} steps in ${formatSeconds(cost.seconds)}`,
  ].join('\n');
}

const formatActivation = (value: number): string => Number(value.toPrecision(4)).toString();
