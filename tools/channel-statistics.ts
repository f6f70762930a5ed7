/**
 * @file Counts the statistics of all channels of the embedded CNN over pictures and writes them into its folder.
 *
 *   npx tsx tools/channel-statistics.ts --model models/tiny-vgg --valid tiny-imagenet-valid.tar --work DIR
 */
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { compile } from '../src/engine/compile.js';
import * as tf from '../src/engine/functions/tfjs.js';
import { writeChannelStatistics } from '../src/vision/channel-statistics.js';
import { openVisionNetwork } from '../src/vision/open.js';
import { preprocess } from '../src/vision/preprocess.js';
import { Histograms } from './histogram.js';
import { loadPictures, PICTURE_SIZE, pictureBatch } from './pictures.js';

const { values: options } = parseArgs({
  options: { model: { type: 'string' }, valid: { type: 'string' }, work: { type: 'string' } },
});
const { model, valid, work } = options;
if (!model || !valid || !work) throw new Error('give --model, --valid and --work');

const BATCH = 50;
const network = openVisionNetwork(model);
const pictures = await loadPictures(valid, join(work, 'valid'));
const layers = network.layers.filter(({ kind }) => kind === 'Conv2D' || kind === 'Dense');

const program = await compile(
  ({ x }, weights) => {
    const picture = preprocess(x as tf.Tensor4D, network.input.preprocessing!);
    const maps = network.forward(
      weights,
      picture,
      layers.map(({ name }) => ({ layer: name })),
    );
    return Object.fromEntries(
      maps.flatMap((map, i) => {
        const { name, channels } = layers[i]!;
        const positions = tf.reshape(map, [BATCH, -1, channels]);
        // [channel, value]: each channel's values lie together to be counted.
        return [
          [`${name} position`, tf.transpose(tf.reshape(map, [-1, channels]))],
          [`${name} picture`, tf.transpose(tf.mean(positions, 1) as tf.Tensor2D)],
        ];
      }),
    );
  },
  { inputs: { x: { shape: [BATCH, PICTURE_SIZE, PICTURE_SIZE, 3] } }, weights: network.weights },
);
const histograms = new Map(
  layers.flatMap(({ name, channels }) =>
    ['position', 'picture'].map((kind) => [`${name} ${kind}`, new Histograms(channels)] as const),
  ),
);
const count = Math.floor(pictures.labels.length / BATCH) * BATCH;
let running = program.run({ x: pictureBatch(pictures, 0, BATCH) });
for (let first = 0; first < count; first += BATCH) {
  const values = await running;
  // The next batch is computed while this one is counted.
  if (first + BATCH < count) running = program.run({ x: pictureBatch(pictures, first + BATCH, BATCH) });
  for (const [group, histogram] of histograms) histogram.add(values[group] as Float32Array);
  process.stderr.write(`\r${first + BATCH} pictures `);
}
const statistics = layers.map(({ name }) => {
  const [position, picture] = ['position', 'picture'].map((kind) =>
    histograms.get(`${name} ${kind}`)!.statistics(),
  );
  return [name, { position: position!, picture: picture! }] as const;
});
writeChannelStatistics(
  model,
  { pictures: count, size: PICTURE_SIZE, key: basename(valid, '.tar') },
  statistics,
);
process.stderr.write(`counted, written to ${model}\n`);
process.exit(0);
