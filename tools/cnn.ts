/** @file The embedded CNN: its architecture, its first parameters, its update rules and its loss. */

import { Random } from '../src/core/random.js';
import { batchMoments, batchNormRelu } from '../src/engine/functions/batch-norm.js';
import * as tf from '../src/engine/functions/tfjs.js';
import { sizeOf } from '../src/engine/tensor-spec.js';
import { adamW, muon, reshaped, slowed, type UpdateRule } from '../src/engine/training/optimizer.js';
import type { WeightArray, WeightLookup } from '../src/engine/weights/weights.js';

/** Channels of the two convolutions of each block; a max pool follows every block but the last. */
export const blocks = [16, 32, 64, 128, 256];
export const classes = 200;
export const BATCH_NORM_EPS = 1e-5;

export interface ConvLayer {
  readonly name: string;
  readonly input: number;
  readonly output: number;
  /** Whether a max pool comes after it. */
  readonly pooled: boolean;
}

export const convLayers: readonly ConvLayer[] = blocks.flatMap((output, block) =>
  [1, 2].map((place) => ({
    name: `block${block + 1}_conv${place}`,
    input: place === 2 ? output : (blocks[block - 1] ?? 3),
    output,
    pooled: place === 2 && block < blocks.length - 1,
  })),
);

/** Shapes of what is trained: filters HWIO, batch norm's bias (its scale stays 1, so that it commutes with the max pool), the classifier `[channel, class]`. */
export const parameterShapes: ReadonlyMap<string, readonly number[]> = new Map([
  ...convLayers.flatMap(({ name, input, output }): [string, number[]][] => [
    [`${name}/kernel`, [3, 3, input, output]],
    [`${name}/bias`, [output]],
  ]),
  ['predictions/kernel', [blocks.at(-1)!, classes]],
  ['predictions/bias', [classes]],
]);

/** He-normal filters, a batch norm that changes nothing, a classifier that favours nothing. */
export function firstParameters(seed: number): Map<string, WeightArray> {
  return new Map(
    [...parameterShapes].map(([name, shape]): [string, WeightArray] => {
      const data = new Float32Array(sizeOf(shape));
      if (shape.length === 4) {
        const deviation = Math.sqrt(2 / (9 * shape[2]!));
        return [
          name,
          {
            shape,
            data: Random.of(seed, name)
              .normals(data.length)
              .map((x) => x * deviation),
          },
        ];
      }
      return [name, { shape, data }];
    }),
  );
}

/** Muon for filters as matrices, AdamW for the rest at a tenth of the rate. */
export function updateRule(name: string, shape: readonly number[]): UpdateRule {
  if (shape.length === 4) {
    const matrix = [sizeOf(shape.slice(0, 3)), shape[3]!];
    return reshaped(muon({ weightDecay: 0.1, iterations: 4 }), matrix);
  }
  return slowed(adamW({ beta2: 0.99, weightDecay: name.endsWith('/kernel') ? 0.1 : 0 }), 0.1);
}

type Block = (x: tf.Tensor4D, layer: ConvLayer) => tf.Tensor4D;

/** Logits `[batch, class]`. @param block - what comes between a convolution's filter and the next one */
function forward(image: tf.Tensor4D, weights: WeightLookup, block: Block): tf.Tensor2D {
  let x = image;
  for (const layer of convLayers) {
    x = block(tf.conv2d(x, weights(`${layer.name}/kernel`) as tf.Tensor4D, 1, 'same'), layer);
  }
  const features = tf.mean(x, [1, 2]) as tf.Tensor2D;
  const logits = tf.matMul(features, weights('predictions/kernel') as tf.Tensor2D);
  return tf.add(logits, weights('predictions/bias')) as tf.Tensor2D;
}

const pool = (x: tf.Tensor4D, { pooled }: ConvLayer) => (pooled ? tf.maxPool(x, 2, 2, 'valid') : x);

/** In training: batch norm with the batch's moments, after the pool, where there is less to do. */
const trainingBlock =
  (weights: WeightLookup): Block =>
  (x, layer) =>
    batchNormRelu(pool(x, layer), weights(`${layer.name}/bias`), BATCH_NORM_EPS) as tf.Tensor4D;

/**
 * The network as shipped, batch norm folded.
 *
 * @param image - `[batch, height, width, 3]` in [-1, 1]
 * @param onLayer - called with each convolution's activation
 */
export function plainForward(
  image: tf.Tensor4D,
  weights: WeightLookup,
  onLayer?: (name: string, activation: tf.Tensor4D) => void,
): tf.Tensor2D {
  return forward(image, weights, (x, layer) => {
    const activation = tf.relu(tf.add(x, weights(`${layer.name}/bias`))) as tf.Tensor4D;
    onLayer?.(layer.name, activation);
    return pool(activation, layer);
  });
}

/** The moments of every layer's channels before batch norm, `<layer>/mean` and `<layer>/variance`. */
export function layerMoments(image: tf.Tensor4D, weights: WeightLookup): Record<string, tf.Tensor> {
  const found: Record<string, tf.Tensor> = {};
  const block = trainingBlock(weights);
  forward(image, weights, (x, layer) => {
    const { mean, variance } = batchMoments(pool(x, layer));
    found[`${layer.name}/mean`] = mean;
    found[`${layer.name}/variance`] = variance;
    return block(x, layer);
  });
  return found;
}

/**
 * Mean cross entropy, nats.
 *
 * @param inputs - `image` `[batch, height, width, 3]` in [-1, 1]; `target` `[batch, class]`, rows that sum to 1
 */
export function cnnLoss(inputs: Record<string, tf.Tensor>, weights: WeightLookup): tf.Scalar {
  const logits = forward(inputs.image as tf.Tensor4D, weights, trainingBlock(weights));
  const products = tf.mul(tf.logSoftmax(logits), inputs.target!);
  return tf.mul(tf.sum(products), -1 / logits.shape[0]) as tf.Scalar;
}
