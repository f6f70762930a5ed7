/** @file The network as it is shipped: batch norm folded into the filters. */
import { compile } from '../src/engine/compile.js';
import type { Tensor4D } from '../src/engine/functions/tfjs.js';
import { MemoryWeights, type WeightArray } from '../src/engine/weights/weights.js';
import { BATCH_NORM_EPS, convLayers, layerMoments } from './cnn.js';
import { PICTURE_SIZE, type Pictures, pictureBatch } from './pictures.js';

export type Parameters = ReadonlyMap<string, WeightArray>;

const BATCH = 128;
const MANY_BATCHES = 64;

/**
 * Filters and biases of plain convolutions that do what the network with batch norm does, its moments being those of
 * whole training pictures: crops, which are coarser, would cost two points of accuracy on whole ones.
 *
 * Batch norm comes after the max pool; its gain is positive, so it may as well come before.
 *
 * @param trained - parameters, and what else a training state holds
 * @param batches - of 128 training pictures; the default is what ships
 */
export async function foldedParameters(
  trained: Parameters,
  pictures: Pictures,
  batches = MANY_BATCHES,
): Promise<Parameters> {
  const moments = await measureMoments(trained, pictures, batches);
  const folded = new Map<string, WeightArray>();
  for (const { name, output } of convLayers) {
    const { shape, data } = trained.get(`${name}/kernel`)!;
    const { mean, variance } = moments.get(name)!;
    const gain = variance.map((x) => 1 / Math.sqrt(x + BATCH_NORM_EPS));
    const bias = trained.get(`${name}/bias`)!.data.map((x, i) => x - mean[i]! * gain[i]!);
    folded.set(`${name}/kernel`, { shape, data: data.map((x, i) => x * gain[i % output]!) });
    folded.set(`${name}/bias`, { shape: [output], data: bias });
  }
  for (const name of ['predictions/kernel', 'predictions/bias']) folded.set(name, trained.get(name)!);
  return folded;
}

interface Moments {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

/** By layer, over all batches together. */
async function measureMoments(
  trained: Parameters,
  pictures: Pictures,
  batches: number,
): Promise<Map<string, Moments>> {
  const compiled = await compile((inputs, weights) => layerMoments(inputs.image as Tensor4D, weights), {
    inputs: { image: { shape: [BATCH, PICTURE_SIZE, PICTURE_SIZE, 3] } },
    weights: new MemoryWeights(trained),
  });
  // Pictures lie class by class: evenly spaced ones are of all classes.
  const stride = Math.max(1, Math.floor(pictures.labels.length / (batches * BATCH)));
  const sums = new Map(
    convLayers.map(({ name, output }) => [
      name,
      { mean: new Float64Array(output), square: new Float64Array(output) },
    ]),
  );
  for (let batch = 0; batch < batches; batch++) {
    const image = pictureBatch(pictures, batch * BATCH * stride, BATCH, stride).map((x) => 2 * x - 1);
    const found = await compiled.run({ image });
    for (const [name, { mean, square }] of sums) {
      for (const [channel, x] of found[`${name}/mean`]!.entries()) {
        mean[channel]! += x / batches;
        square[channel]! += (found[`${name}/variance`]![channel]! + x * x) / batches;
      }
    }
  }
  compiled.dispose();
  return new Map(
    [...sums].map(([name, { mean, square }]) => [
      name,
      { mean, variance: square.map((x, channel) => x - mean[channel]! ** 2) },
    ]),
  );
}
