/** @file The task `image`: the picture that excites a channel. */
import { UsageError } from '../core/errors.js';
import { field } from '../core/field.js';
import { namedRanges } from '../vision/input-fit.js';
import type { RangeName } from '../vision/names.js';
import type { VisionNetwork } from '../vision/network.js';
import { resolveObjective } from '../vision/objectives/objective.js';
import { parseUnitList } from '../vision/objectives/unit-list.js';
import { pictureFileSize, readPicture } from '../vision/picture.js';
import { readSize } from '../vision/picture-size.js';
import { drawnPlanes } from '../vision/planes.js';
import type { Preprocessing } from '../vision/preprocess.js';
import { defaultSize, sizeLike } from '../vision/render/fitting-size.js';
import type { RenderOptions } from '../vision/render/render-options.js';
import { parseTransforms } from '../vision/transforms/transform.js';
import { engineOf } from './device.js';
import type { ImageResult } from './image-result.js';
import { loadNetwork } from './open-network.js';
import { checkFiles, type RenderFiles, renderToFiles } from './render-files.js';
import { readRenderState } from './render-state.js';
import type { JobOf } from './schema.js';
import type { Given, Task } from './task.js';

export const imageTask: Task<'image', ImageResult> = {
  keeps: true,
  pathFields: ['model', 'start', 'examples'],
  outputFields: ['image', 'animation'],
  async *open(job, signal, given) {
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
};

function filesOf({ image, animation, examples }: JobOf<'image'>): RenderFiles {
  return {
    ...(image !== null && { image }),
    ...(animation !== null && { animation }),
    ...(examples !== null && { examples }),
  };
}

/** Throws UsageError and UserError for what the network does not have. */
async function renderOptions(
  job: JobOf<'image'>,
  network: VisionNetwork,
  { objectives }: Given,
): Promise<RenderOptions> {
  const { start, steps, optimizer, rate, range, input, variants, octaves, seed } = job;
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
    ...{ network, units, size },
    start: startsBlank ? start : await readPicture(start, { ...size, ...planes }),
    parameterization: job.parameterization,
    transforms: parseTransforms(job.transforms, size),
    ...{ steps, variants, octaves, seed, engine: await engineOf(job) },
    ...(optimizer && { optimizer }),
    ...(rate !== null && { rate }),
    ...(range && { preprocessing: rangeFor(network, range) }),
    ...(input && { input }),
  };
}

/** Throws UsageError for a range of colours where there are other planes. */
function rangeFor({ name, input: { channels } }: VisionNetwork, range: RangeName): Preprocessing {
  const preprocessing = namedRanges[range](channels);
  if (preprocessing.scale.length === channels) return preprocessing;
  throw new UsageError(
    `${name} reads pictures of ${channels === 1 ? '1 plane' : `${channels} planes`}: the ${field('range')} ${range} is one of colours; give -1..1, 0..1 or 0..255`,
  );
}
