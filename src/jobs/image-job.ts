/** @file The task `image`: the picture that excites a channel. */
import { z } from 'zod';
import { UsageError } from '../core/errors.js';
import { field } from '../core/field.js';
import type { Run } from '../runs/events.js';
import {
  imageBounds,
  imageDefaults,
  inputKinds,
  optimizerNames,
  parameterizationNames,
  type RangeName,
  rangeNames,
} from '../vision/names.js';
import type { VisionNetwork } from '../vision/network.js';
import { readSize, sizeRule } from '../vision/picture-size.js';
import type { Preprocessing } from '../vision/preprocess.js';
import type { RenderOptions } from '../vision/render/render-options.js';
import { above0, common, name, names, text, within } from './fields.js';
import type { ImageResult } from './image-result.js';
import type { RenderFiles } from './render-files.js';
import { defineTask, type Given, type Opened } from './task.js';

const size = z
  .union([z.number(), z.string()])
  .refine((size) => readSize(size) !== null, { message: `must be ${sizeRule}` });

const schema = z.strictObject({
  task: z.literal('image'),
  ...common,
  /** Null = the largest embedded vision network. */
  model: name.nullable().default(null),
  units: names,
  steps: within(imageBounds.steps).default(imageDefaults.steps),
  /** Pixels of both sides, or `320x200`, the width first; null = about the network's own, in the proportions of a picture to start from. */
  size: size.nullable().default(null),
  /** `noise`, `black`, or a picture file. */
  start: name.default(imageDefaults.start),
  parameterization: z.enum(parameterizationNames).default(imageDefaults.parameterization),
  transforms: text.default(imageDefaults.transforms),
  /** Null = the one that suits the parameterization. */
  optimizer: z.enum(optimizerNames).nullable().default(null),
  rate: above0.nullable().default(null),
  octaves: within(imageBounds.octaves).default(imageDefaults.octaves),
  variants: within(imageBounds.variants).default(imageDefaults.variants),
  /** All steps in float32; else some in 8 bits where that is much faster, or in half precision on a GPU. */
  exact: z.boolean().default(false),
  range: z.enum(rangeNames).nullable().default(null),
  /** What the planes of the network's pictures are; null = three are colours, one is grey, others are pictures each. */
  input: z.enum(inputKinds).nullable().default(null),
  /** Files to write, beside the run folder. */
  image: name.nullable().default(null),
  animation: name.nullable().default(null),
  /** A folder of pictures whose strongest lie beside the synthetic ones. */
  examples: name.nullable().default(null),
});

export const imageTask = defineTask({
  schema,
  reads: 'vision',
  keeps: true,
  pathFields: ['model', 'start', 'examples'],
  outputFields: ['image', 'animation'],
  async *open(job, signal, given): Run<Opened<ImageResult>> {
    // The engine's thread starts while the rest is loaded.
    if (job.engine === 'onnx') (await import('../engine/backends/worker-client.js')).warmUp();
    const { loadNetwork } = await import('./open-network.js');
    const { checkFiles, renderToFiles } = await import('./render-files.js');
    const { readRenderState } = await import('./render-state.js');
    const files = filesOf(job);
    checkFiles(files);
    const { network, hash } = given.network ?? (yield* loadNetwork(job.model, signal));
    const options = await renderOptions(job, network, given);
    return {
      model: { name: network.name, hash },
      begin({ folder, signal, earlier }) {
        const from = earlier ? readRenderState(earlier.reading.path) : undefined;
        return renderToFiles({ ...options, signal }, folder, files, from);
      },
    };
  },
});

function filesOf({ image, animation, examples }: z.output<typeof schema>): RenderFiles {
  return {
    ...(image !== null && { image }),
    ...(animation !== null && { animation }),
    ...(examples !== null && { examples }),
  };
}

/** Throws UsageError and UserError for what the network does not have. */
async function renderOptions(
  job: z.output<typeof schema>,
  network: VisionNetwork,
  { objectives }: Given,
): Promise<RenderOptions> {
  const { resolveObjective } = await import('../vision/objectives/objective.js');
  const { parseUnitList } = await import('../vision/objectives/unit-list.js');
  const { pictureFileSize, readPicture } = await import('../vision/picture.js');
  const { drawnPlanes } = await import('../vision/planes.js');
  const { defaultSize, sizeLike } = await import('../vision/render/fitting-size.js');
  const { parseTransforms } = await import('../vision/transforms/transform.js');
  const { engineOf } = await import('./device.js');
  const { start, steps, optimizer, rate, range, input, variants, octaves, exact, seed } = job;
  const { channels } = network.input;
  const units = job.units.flatMap((text, i) => objectives?.[i] ?? parseUnitList(text, network));
  const planes = { channels: drawnPlanes(channels, input ?? undefined), ...(input && { input }) };
  const startsBlank = start === 'noise' || start === 'black';
  const size =
    (job.size !== null && readSize(job.size)) ||
    (startsBlank
      ? defaultSize(network)
      : sizeLike(network, resolveObjective(network, units).terms, await pictureFileSize(start)));
  return {
    network,
    units,
    size,
    start: startsBlank ? start : await readPicture(start, { ...size, ...planes }),
    parameterization: job.parameterization,
    transforms: parseTransforms(job.transforms, size),
    steps,
    variants,
    octaves,
    exact,
    seed,
    engine: await engineOf(job),
    ...(optimizer && { optimizer }),
    ...(rate !== null && { rate }),
    ...(range && { preprocessing: await rangeFor(network, range) }),
    ...(input && { input }),
  };
}

/** Throws UsageError for a range of colours where there are other planes. */
async function rangeFor(
  { name, input: { channels } }: VisionNetwork,
  range: RangeName,
): Promise<Preprocessing> {
  const { namedRanges } = await import('../vision/input-fit.js');
  const preprocessing = namedRanges[range](channels);
  if (preprocessing.scale.length === channels) return preprocessing;
  throw new UsageError(
    `${name} reads pictures of ${channels === 1 ? '1 plane' : `${channels} planes`}: the ${field('range')} ${range} is one of colours; give -1..1, 0..1 or 0..255`,
  );
}
