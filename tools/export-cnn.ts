/**
 * @file A checkpoint of the CNN as a TensorFlow.js model folder, weights in half precision.
 *
 *   npx tsx tools/export-cnn.ts --train tiny-imagenet-train.tar --words tiny-imagenet-words.tsv --work DIR
 *     --out models/tiny-vgg --reference test/vision/tiny-vgg.json
 *
 * The reference holds activations in full precision, for the test of what was written.
 */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../src/core/random.js';
import { compile } from '../src/engine/compile.js';
import type { Tensor4D } from '../src/engine/functions/tfjs.js';
import { MemoryWeights } from '../src/engine/weights/weights.js';
import { naturalPictures } from '../src/vision/natural.js';
import { readCheckpoint } from './checkpoint.js';
import { convLayers, plainForward } from './cnn.js';
import { topology } from './cnn-topology.js';
import { writeWhole } from './corpus.js';
import { foldedParameters } from './fold-batch-norm.js';
import { writeLayersModel } from './keras-layers.js';
import { loadPictures, PICTURE_SIZE } from './pictures.js';

const { values: options } = parseArgs({
  options: {
    train: { type: 'string' },
    words: { type: 'string' },
    work: { type: 'string' },
    out: { type: 'string' },
    reference: { type: 'string' },
  },
});
const { train, words, work, out, reference } = options;
if (!train || !words || !work || !out || !reference)
  throw new Error('give --train, --words, --work, --out and --reference');

const checkpoint = readCheckpoint(join(work, 'checkpoint.safetensors'));
if (!checkpoint) throw new Error(`there is no checkpoint in ${work}`);
const pictures = await loadPictures(train, join(work, 'train'));
const network = await foldedParameters(checkpoint.state, pictures);

const lines = (await readFile(words, 'utf8')).trim().split('\n');
const names = new Map(lines.map((line) => line.split('\t') as [string, string]));
const classes = pictures.classes.map((id) => ({ id, name: names.get(id)!.split(',')[0]! }));

await writeLayersModel(
  out,
  'tools/export-cnn.ts',
  topology(basename(out), PICTURE_SIZE, classes.length),
  network,
  { classes },
);

// -- reference activations -------------------------------------------------------------------------------------

const seed = 1;
const image = naturalPictures(new Random(seed), 1, PICTURE_SIZE, PICTURE_SIZE).map((x) => 2 * x - 1);
const program = await compile(
  (inputs, lookup) => {
    const activations: Record<string, Tensor4D> = {};
    const logits = plainForward(inputs.image as Tensor4D, lookup, (name, x) => (activations[name] = x));
    return { ...activations, predictions: logits };
  },
  {
    inputs: { image: { shape: [1, PICTURE_SIZE, PICTURE_SIZE, 3] } },
    weights: new MemoryWeights(network),
  },
);
const found = await program.run({ image });
/** A few values of each layer, spread over it. */
const layers = [...convLayers.map(({ name }) => name), 'predictions'].map((layer) => {
  const values = found[layer]!;
  const indices = Array.from({ length: 40 }, (_, i) => Math.floor(((i + 0.5) * values.length) / 40));
  return { layer, indices, values: indices.map((i) => Number(values[i]!.toPrecision(6))) };
});
await writeWhole(reference, `${JSON.stringify({ seed, layers })}\n`);
process.stderr.write(`written to ${out} (step ${checkpoint.position.steps})\n`);
process.exit(0);
