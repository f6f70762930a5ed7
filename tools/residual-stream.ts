/** @file What a dictionary is trained on: a place of a model, over windows of a corpus, less its mean and of unit size. */
import { compile } from '../src/engine/compile.js';
import * as tf from '../src/engine/functions/tfjs.js';
import type { WeightLookup } from '../src/engine/weights/weights.js';
import type { TextWeights } from '../src/text/lm/model.js';
import type { Place } from '../src/text/lm/places.js';
import { forward } from '../src/text/lm/transformer.js';
import type { Windows } from './windows.js';

export interface Stream {
  readonly model: TextWeights;
  readonly place: Place;
  /** Windows a batch, and tokens a window, BOS included. */
  readonly batch: number;
  readonly positions: number;
}

/** What is taken off each token, `[width]`, and what the rest is multiplied by so that its mean square is 1. */
export interface Standard {
  readonly mean: Float32Array;
  readonly gain: number;
}

/** Tokens a batch: BOS is read, and not learnt from. */
export const tokensOf = ({ batch, positions }: Stream): number => batch * (positions - 1);

export const idsOf = ({ batch, positions }: Stream) => ({
  shape: [batch, positions],
  dtype: 'int32' as const,
});

/** As the model has it, `[token, width]`. */
export function readStream(stream: Stream, ids: tf.Tensor, weights: WeightLookup): tf.Tensor2D {
  const at = forward(stream.model.spec, weights, { ids }).at(stream.place); // [batch, pos, width]
  const past = tf.slice(at, [0, 1, 0], [-1, -1, -1]);
  return tf.reshape(past, [tokensOf(stream), -1]) as tf.Tensor2D;
}

/** The same, standardized. */
export function standardStream(
  stream: Stream,
  { mean, gain }: Standard,
  ids: tf.Tensor,
  weights: WeightLookup,
): tf.Tensor2D {
  return tf.mul(tf.sub(readStream(stream, ids, weights), tf.tensor(mean)), gain);
}

/** Of the first batches of a corpus. */
export async function standardOf(stream: Stream, windows: Windows, batches: number): Promise<Standard> {
  const program = await compile(
    ({ ids }, weights) => {
      const x = readStream(stream, ids!, weights);
      return { mean: tf.mean(x, 0), square: tf.mean(tf.square(x), 0) };
    },
    { inputs: { ids: idsOf(stream) }, weights: stream.model.weights },
  );
  const mean = new Float64Array(stream.model.spec.dModel);
  let square = 0;
  for (let i = 0; i < batches; i++) {
    const { ids } = windows.batch(i * stream.batch, stream.batch);
    const part = await program.run({ ids });
    for (const [at, x] of part.mean!.entries()) mean[at]! += x / batches;
    for (const x of part.square!) square += x / batches;
  }
  program.dispose();
  const variance = square - mean.reduce((sum, x) => sum + x * x, 0);
  return { mean: Float32Array.from(mean), gain: Math.sqrt(mean.length / variance) };
}
