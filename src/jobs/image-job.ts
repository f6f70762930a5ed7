/** @file The task `image`: the picture that excites a channel. */
import { namedRanges } from '../vision/input-fit.js';
import type { VisionNetwork } from '../vision/network.js';
import { parseUnitList } from '../vision/objectives/unit-list.js';
import { readPicture } from '../vision/picture.js';
import { defaultSize } from '../vision/render/render.js';
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
  const { size = null, start, steps, optimizer, rate, range, variants, octaves, seed } = job;
  const { channels } = network.input;
  const pixels = size ?? defaultSize(network);
  return {
    network,
    units: job.units.flatMap((text, i) => objectives?.[i] ?? parseUnitList(text, network)),
    size: pixels,
    start:
      start === 'noise' || start === 'black'
        ? start
        : await readPicture(start, { width: pixels, height: pixels, channels }),
    parameterization: job.parameterization,
    transforms: parseTransforms(job.transforms, pixels),
    ...{ steps, variants, octaves, seed, engine: await engineOf(job) },
    ...(optimizer && { optimizer }),
    ...(rate !== null && { rate }),
    ...(range && { preprocessing: namedRanges[range](channels) }),
  };
}
