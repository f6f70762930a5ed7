/** @file Top-1 accuracy of the embedded CNN. */
import { compile } from '../src/engine/compile.js';
import type { Tensor4D } from '../src/engine/tfjs.js';
import { MemoryWeights } from '../src/engine/weights.js';
import { plainForward } from './cnn.js';
import type { Parameters } from './fold-batch-norm.js';
import { PICTURE_SIZE, type Pictures } from './pictures.js';

const BATCH = 100;
const ROW = PICTURE_SIZE * PICTURE_SIZE * 3;

/** Share of whole pictures whose class gets the largest logit. @param network - folded */
export async function topOne(network: Parameters, { pixels, labels, classes }: Pictures): Promise<number> {
  const compiled = await compile(
    (inputs, weights) => ({ logits: plainForward(inputs.image as Tensor4D, weights) }),
    {
      inputs: { image: { shape: [BATCH, PICTURE_SIZE, PICTURE_SIZE, 3] } },
      weights: new MemoryWeights(network),
    },
  );
  let right = 0;
  let seen = 0;
  for (; seen + BATCH <= labels.length; seen += BATCH) {
    const bytes = pixels.subarray(seen * ROW, (seen + BATCH) * ROW);
    const { logits } = await compiled.run({ image: Float32Array.from(bytes, (x) => x / 127.5 - 1) });
    for (let row = 0; row < BATCH; row++) {
      const scores = logits!.subarray(row * classes.length, (row + 1) * classes.length);
      if (scores.indexOf(Math.max(...scores)) === labels[seen + row]) right++;
    }
  }
  compiled.dispose();
  return right / seen;
}
