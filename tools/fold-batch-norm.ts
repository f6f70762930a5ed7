/** @file The network as it is shipped: averaged weights, batch norm folded into the filters. */
import { compile } from '../src/engine/compile.js';
import type { TrainingState } from '../src/engine/trainer.js';
import type { WeightArray } from '../src/engine/weights.js';
import { BATCH_NORM_EPS, convLayers, layerMoments, parameterShapes } from './cnn.js';
import { PICTURE_SIZE, PictureStream, type Pictures } from './pictures.js';

export type Parameters = ReadonlyMap<string, WeightArray>;

/** The parameters' running averages over steps. */
export function averagedParameters(state: TrainingState): Parameters {
  return new Map([...parameterShapes.keys()].map((name) => [name, state.get(`${name}#average`)!]));
}

const BATCH = 128;
/** Enough to see how a training run goes. */
const FEW_BATCHES = 12;

/**
 * Filters and biases of plain convolutions that do what the network with batch norm does, its moments being those of training
 * pictures, cropped as in training.
 *
 * Batch norm comes after the max pool; its gain is positive, so it may as well come before.
 *
 * @param size - of the pictures, pixels
 * @param batches - of 128 training pictures
 */
export async function foldedParameters(
  parameters: Parameters,
  pictures: Pictures,
  size: number,
  batches = FEW_BATCHES,
): Promise<Parameters> {
  const moments = await measureMoments(parameters, pictures, size, batches);
  const folded = new Map<string, WeightArray>();
  for (const { name, output } of convLayers) {
    const { shape, data } = parameters.get(`${name}/kernel`)!;
    const mean = moments.get(`${name}/mean`)!;
    const gain = moments.get(`${name}/variance`)!.map((x) => 1 / Math.sqrt(x + BATCH_NORM_EPS));
    const bias = parameters.get(`${name}/bias`)!.data.map((x, i) => x - mean[i]! * gain[i]!);
    folded.set(`${name}/kernel`, { shape, data: data.map((x, i) => x * gain[i % output]!) });
    folded.set(`${name}/bias`, { shape: [output], data: bias });
  }
  for (const part of ['kernel', 'bias'])
    folded.set(`predictions/${part}`, parameters.get(`predictions/${part}`)!);
  return folded;
}

/** What ships: the moments are those of 8,192 training pictures at their full size. */
export function shippedParameters(state: TrainingState, pictures: Pictures): Promise<Parameters> {
  return foldedParameters(averagedParameters(state), pictures, PICTURE_SIZE, 64);
}

/** Means over batches; a channel's variance is that within and between batches. */
async function measureMoments(
  parameters: Parameters,
  pictures: Pictures,
  size: number,
  batches: number,
): Promise<Map<string, Float64Array>> {
  const compiled = await compile((inputs) => layerMoments(inputs.image as never, (name) => inputs[name]!), {
    inputs: {
      image: { shape: [BATCH, size, size, 3] },
      ...Object.fromEntries([...parameters].map(([name, { shape }]) => [name, { shape }])),
    },
  });
  const weights = Object.fromEntries([...parameters].map(([name, { data }]) => [name, data]));
  const stream = new PictureStream(pictures, 0);
  const sums = new Map<string, Float64Array>();
  for (let i = 0; i < batches; i++) {
    const { image } = stream.batch(i * BATCH, BATCH, size);
    const found = await compiled.run({
      image,
      ...Object.fromEntries(Object.entries(weights).map(([name, data]) => [name, data.slice()])),
    });
    for (const { name, output } of convLayers) {
      const mean = found[`${name}/mean`]!;
      const variance = found[`${name}/variance`]!;
      const [m, s] = ['mean', 'variance'].map((kind) => {
        const key = `${name}/${kind}`;
        if (!sums.has(key)) sums.set(key, new Float64Array(output));
        return sums.get(key)!;
      }) as [Float64Array, Float64Array];
      for (let c = 0; c < output; c++) {
        m[c]! += mean[c]! / batches;
        s[c]! += (variance[c]! + mean[c]! ** 2) / batches;
      }
    }
  }
  compiled.dispose();
  for (const { name } of convLayers) {
    const mean = sums.get(`${name}/mean`)!;
    sums.set(
      `${name}/variance`,
      sums.get(`${name}/variance`)!.map((x, c) => x - mean[c]! ** 2),
    );
  }
  return sums;
}
