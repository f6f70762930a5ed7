/** @file `superstim image`: the picture that excites a channel of a network. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { counted, formatSeconds } from '../../core/format.js';
import type { DeviceChoice, EngineName } from '../../engine/engine-names.js';
import type { ImageDocument } from '../../jobs/image-result.js';
import {
  type InputKind,
  imageBounds,
  imageDefaults,
  inputKinds,
  type OptimizerName,
  optimizerNames,
  type ParameterizationName,
  parameterizationNames,
  type RangeName,
  rangeNames,
} from '../../vision/names.js';
import { readSize, sizeRule } from '../../vision/picture-size.js';
import type { JobCommand, Printer } from '../job-command.js';
import {
  type CommonOptions,
  deviceOption,
  engineOption,
  integer,
  number,
  repeated,
  seedOption,
} from '../options.js';
import { type Sited, withSite } from '../results/site.js';
import { tuiOption } from '../watch-run.js';

interface ImageFlags extends CommonOptions {
  model?: string;
  unit: string[];
  steps?: number;
  size?: number | string;
  start: string;
  param: ParameterizationName;
  transforms: string;
  optimizer?: OptimizerName;
  rate?: number;
  octaves: number;
  variants: number;
  exact?: boolean;
  range?: RangeName;
  input?: InputKind;
  gif?: string;
  examples?: string;
  out?: string;
  runs: string;
  tui?: boolean;
  engine: EngineName;
  device: DeviceChoice;
  seed: number;
}

export const imageCommand: JobCommand<'image', ImageFlags> = {
  command() {
    return new Command('image')
      .helpGroup('Probe a vision network:')
      .description('make the picture that excites a channel of a CNN')
      .option(
        '-m, --model <model>',
        'an embedded model, a folder or file (TFJS, ONNX, safetensors), or a hub id (default: the embedded vision network)',
      )
      .requiredOption(
        '-u, --unit <unit>',
        'mixed3:1, block3_conv2:0-15 (a sheet), mixed3:1@7,7 (one position), logit:207, deepdream(mixed3), or a sum: "0.5*mixed3:1 - mixed3:5 - tv"; may be repeated',
        repeated((text) => text),
      )
      .option(
        '-s, --steps <number>',
        `steps of gradient ascent (default: ${imageDefaults.steps})`,
        integer(imageBounds.steps),
      )
      .option(
        '--size <pixels>',
        "both sides, or WIDTHxHEIGHT as in 320x200 (default: about the network's; with --start, in that picture's proportions)",
        pictureSize,
      )
      .option('--start <start>', 'noise, black, or a picture file', imageDefaults.start)
      .addOption(
        new Option('--param <name>', 'what is optimized: a Fourier spectrum, pixels, or phases alone')
          .choices(parameterizationNames)
          .default(imageDefaults.parameterization),
      )
      .option(
        '--transforms <list>',
        'what the picture must survive: standard, none, or e.g. pad:12,jitter:8,scale:0.9..1.1,rotate:10,crop:0.5,blur:1,noise:0.05,color:1',
        imageDefaults.transforms,
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
        integer(imageBounds.octaves),
        imageDefaults.octaves,
      )
      .option(
        '--variants <number>',
        'pictures of each unit (see "diversity(layer)")',
        integer(imageBounds.variants),
        imageDefaults.variants,
      )
      .option(
        '--exact',
        'all steps in float32 (else most are in 8 bits where that is much faster, or in half precision on a GPU)',
      )
      .addOption(new Option('--range <range>', 'what the network was trained on').choices(rangeNames))
      .addOption(
        new Option(
          '--input <kind>',
          "what the planes of the network's pictures are: colors, three by three; one grey picture in all; or planes, a grey picture each (default: 3 are colors, 1 is grey, others are planes)",
        ).choices(inputKinds),
      )
      .option('--gif <file>', 'animation of every step, .gif or .webp')
      .option(
        '--examples <dir>',
        'pictures of this folder that excite the unit most, beside the synthetic one',
      )
      .option('-o, --out <file>', 'the picture, .png (default: in the run folder)')
      .option('--runs <dir>', 'folder for the run folder', 'runs')
      .addOption(tuiOption())
      .addOption(engineOption())
      .addOption(deviceOption())
      .addOption(seedOption())
      .addHelpText(
        'after',
        '\nExamples:\n  $ superstim image --model ./vgg19 --unit block4_conv1:4 --out block4.png\n  $ superstim image --model ./inception_v3 --unit mixed3:1 --start black --param pixel --steps 30 --gif mixed3.gif',
      );
  },
  job(flags) {
    const { steps, start, transforms, octaves, variants, engine, device, seed } = flags;
    return {
      task: 'image',
      steps,
      start,
      transforms,
      octaves,
      variants,
      engine,
      device,
      seed,
      units: flags.unit,
      model: flags.model ?? null,
      size: flags.size ?? null,
      parameterization: flags.param,
      optimizer: flags.optimizer ?? null,
      rate: flags.rate ?? null,
      exact: flags.exact ?? false,
      range: flags.range ?? null,
      input: flags.input ?? null,
      image: flags.out ?? null,
      animation: flags.gif ?? null,
      examples: flags.examples ?? null,
    };
  },
  performed: (flags) => ({ ...flags, out: flags.runs }),
  complete: withSite,
  async document(result) {
    const { withoutPixels } = await import('../../jobs/image-result.js');
    return withoutPixels(result);
  },
  picture: ({ image }, flags) => pictureInTerminal(String(image), flags),
  isFailure: ({ stalled, units }) => stalled.length === units.length,
  format: formatImage,
};

function pictureSize(text: string): number | string {
  if (readSize(text) !== null) return text.includes('x') ? text : Number(text);
  throw new InvalidArgumentError(`It must be ${sizeRule}.`);
}

/** The picture in characters, or by the terminal's own protocol; nothing where stdout is no terminal. */
async function pictureInTerminal(file: string, { json, color = true }: CommonOptions): Promise<string> {
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

/** Each unit's activation, and where the files are. */
function formatImage(
  { units, image, animation, examples, run, cost, site }: ImageDocument & Sited,
  { paint, table }: Printer,
): string {
  const rows = units.map(({ unit, dead, activation: { start, final } }) => [
    unit,
    dead ? 'silent' : formatActivation(start),
    dead ? '' : formatActivation(final),
  ]);
  return [
    table([['unit', 'start', 'end'], ...rows]),
    '',
    `picture: ${paint('bold', String(image))}`,
    ...(animation ? [`animation: ${animation}`] : []),
    ...(examples ? [`examples: ${examples.image} (of ${counted(examples.pictures, 'picture')})`] : []),
    ...(site ? [`site: ${site}`] : []),
    `run: ${run}`,
    `${counted(cost.steps, 'step')} in ${formatSeconds(cost.seconds)}`,
  ].join('\n');
}

const formatActivation = (value: number): string => Number(value.toPrecision(4)).toString();
