/**
 * @file Top-1 accuracy of the embedded CNN on whole validation pictures: as shipped, and with the training pictures
 * also in full precision, from the checkpoint in the work folder.
 *
 *   npx tsx tools/evaluate-cnn.ts --model models/tiny-vgg --valid tiny-imagenet-valid.tar --work DIR
 *     [--train tiny-imagenet-train.tar]
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openVisionNetwork } from '../src/vision/open.js';
import { readCheckpoint } from './checkpoint.js';
import { foldedParameters } from './fold-batch-norm.js';
import { loadPictures } from './pictures.js';
import { plainClassifier, shippedClassifier, topOne } from './top-one.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    valid: { type: 'string' },
    work: { type: 'string' },
    train: { type: 'string' },
  },
});
const { model, valid, work, train } = options;
if (!model || !valid || !work) throw new Error('give --model, --valid and --work');

const pictures = await loadPictures(valid, join(work, 'valid'));
const show = (what: string, accuracy: number) =>
  process.stdout.write(
    `${what}: ${(100 * accuracy).toFixed(2)} % top-1 of ${pictures.labels.length} pictures\n`,
  );

if (train) {
  const checkpoint = readCheckpoint(join(work, 'checkpoint.safetensors'));
  if (!checkpoint) throw new Error(`there is no checkpoint in ${work}`);
  const trained = await foldedParameters(checkpoint.state, await loadPictures(train, join(work, 'train')));
  show('full precision', await topOne(plainClassifier(trained), pictures));
}
show('as shipped', await topOne(shippedClassifier(openVisionNetwork(model)), pictures));
process.exit(0);
