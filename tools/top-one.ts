/** @file Top-1 accuracy of a classifier of the embedded CNN's pictures. */
import { compile } from '../src/engine/compile.js';
import * as tf from '../src/engine/functions/tfjs.js';
import { MemoryWeights, type WeightLookup, type WeightSource } from '../src/engine/weights/weights.js';
import type { VisionNetwork } from '../src/vision/network.js';
import { preprocess } from '../src/vision/preprocess.js';
import { plainForward } from './cnn.js';
import type { Parameters } from './fold-batch-norm.js';
import { PICTURE_SIZE, type Pictures, pictureBatch } from './pictures.js';

const BATCH = 100;

export interface Classifier {
  /** Class scores `[batch, class]` of pictures `[batch, height, width, 3]` in [0, 1]. */
  readonly scores: (picture: tf.Tensor4D, weights: WeightLookup) => tf.Tensor;
  readonly weights: WeightSource;
}

/** The network in full precision. @param network - folded */
export function plainClassifier(network: Parameters): Classifier {
  return {
    scores: (picture, weights) => plainForward(tf.sub(tf.mul(picture, 2), 1), weights),
    weights: new MemoryWeights(network),
  };
}

/** The network as users get it. */
export function shippedClassifier(network: VisionNetwork): Classifier {
  return {
    scores(picture, weights) {
      const input = preprocess(picture, network.input.preprocessing!);
      return network.forward(weights, input, [{ layer: 'predictions' }])[0]!;
    },
    weights: network.weights,
  };
}

/** Share of whole pictures whose class has the largest score. */
export async function topOne({ scores, weights }: Classifier, pictures: Pictures): Promise<number> {
  const { labels, classes } = pictures;
  const compiled = await compile(
    (inputs, lookup) => ({ scores: scores(inputs.picture as tf.Tensor4D, lookup) }),
    { inputs: { picture: { shape: [BATCH, PICTURE_SIZE, PICTURE_SIZE, 3] } }, weights },
  );
  let right = 0;
  let seen = 0;
  for (; seen + BATCH <= labels.length; seen += BATCH) {
    const { scores } = await compiled.run({ picture: pictureBatch(pictures, seen, BATCH) });
    for (let row = 0; row < BATCH; row++) {
      const own = scores!.subarray(row * classes.length, (row + 1) * classes.length);
      if (own.indexOf(Math.max(...own)) === labels[seen + row]) right++;
    }
  }
  compiled.dispose();
  return right / seen;
}
