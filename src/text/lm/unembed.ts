/** @file From the stream to the logits: the only reader of the final norm and the unembedding matrix. */
import { capped } from '../../engine/functions/ops.js';
import * as tf from '../../engine/functions/tfjs.js';
import { tokenLogProbs } from '../../engine/functions/token-log-probs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { norm, throughNorm } from './norm.js';
import { bodyModule, unembeddingBias, unembeddingModule } from './parameters.js';
import type { TransformerSpec } from './spec.js';

/** What the unembedding reads, given the stream after the last layer; both `[rows, dModel]`. */
export function finalNorm(spec: TransformerSpec, weights: WeightLookup, stream: tf.Tensor): tf.Tensor {
  return spec.modules.finalNorm ? norm(spec, weights, bodyModule(spec, 'finalNorm'), stream) : stream;
}

/**
 * What is written to the stream as the final norm passes it on, its scale frozen at the stream's own; as it is where
 * there is no final norm.
 *
 * @param stream - after the last layer, `[batch, pos, dModel]`
 * @param written - `[unit, rows, dModel]`
 * @returns likewise
 */
export function throughFinalNorm(
  spec: TransformerSpec,
  weights: WeightLookup,
  stream: tf.Tensor,
  written: tf.Tensor,
): tf.Tensor {
  if (!spec.modules.finalNorm) return written;
  return throughNorm(spec, weights, bodyModule(spec, 'finalNorm'), stream, written);
}

/** The logits of hidden states behind the final norm: `[..., dModel]` to `[..., vocab]`. */
export function unembed(spec: TransformerSpec, weights: WeightLookup, hidden: tf.Tensor): tf.Tensor {
  return finished(spec, logitChange(spec, weights, hidden), () => biasOf(spec, weights));
}

/** One token's logit of hidden states behind the final norm: `[..., dModel]` to `[..., 1]`. */
export function unembedToken(
  spec: TransformerSpec,
  weights: WeightLookup,
  hidden: tf.Tensor,
  token: number,
): tf.Tensor {
  return tf.expandDims(tokenLogits(spec, weights, hidden, tf.tensor1d([token], 'int32')), -1);
}

/** A token's logit for each row: hidden states behind the final norm `[..., dModel]` and ids, `[rows]` or `[1]`, to `[...]`. */
export function tokenLogits(
  spec: TransformerSpec,
  weights: WeightLookup,
  hidden: tf.Tensor,
  ids: tf.Tensor,
): tf.Tensor {
  const directions = tf.gather(unembedding(spec, weights), ids as tf.Tensor1D);
  const linear = tf.sum(tf.mul(scaled(spec, hidden), directions), -1);
  return finished(spec, linear, () => tf.gather(biasOf(spec, weights), ids as tf.Tensor1D));
}

/** The logits of some tokens, the same for all rows: `[rows, dModel]` behind the final norm to `[rows, tokens]`. */
export function logitsOf(
  spec: TransformerSpec,
  weights: WeightLookup,
  hidden: tf.Tensor2D,
  tokens: readonly number[],
): tf.Tensor {
  const ids = tf.tensor1d([...tokens], 'int32');
  const directions = tf.gather(unembedding(spec, weights), ids) as tf.Tensor2D;
  const linear = tf.matMul(scaled(spec, hidden) as tf.Tensor2D, directions, false, true);
  return finished(spec, linear, () => tf.gather(biasOf(spec, weights), ids));
}

/**
 * Log-probabilities of given tokens, in nats, without ever holding those of all tokens.
 *
 * @param hidden - behind the final norm, `[rows, dModel]`
 * @param targets - token ids, int32 `[rows]`
 * @param bias - `[vocab]`, added to all logits (`bannedMask`)
 * @returns `[rows]`
 */
export function targetLogProbs(
  spec: TransformerSpec,
  weights: WeightLookup,
  hidden: tf.Tensor,
  targets: tf.Tensor,
  bias: tf.Tensor | null = null,
): tf.Tensor {
  const own = spec.biases.unembedding ? biasOf(spec, weights) : null;
  const added = own && bias ? tf.add(own, bias) : (own ?? bias);
  const { cap } = spec.logits;
  return tokenLogProbs(scaled(spec, hidden), unembedding(spec, weights), added, targets, cap);
}

/** What an addition to the hidden state adds to the logits: `[..., dModel]` to `[..., vocab]`. Linear. */
export function logitChange(spec: TransformerSpec, weights: WeightLookup, added: tf.Tensor): tf.Tensor {
  const rows = tf.reshape(scaled(spec, added), [-1, spec.dModel]) as tf.Tensor2D;
  const changes = tf.matMul(rows, unembedding(spec, weights), false, true);
  return tf.reshape(changes, [...added.shape.slice(0, -1), spec.vocab]);
}

/** Each token's direction in the hidden state, whose dot product is its logit: `[vocab, dModel]`. */
export function logitDirections(spec: TransformerSpec, weights: WeightLookup): tf.Tensor2D {
  return scaled(spec, unembedding(spec, weights)) as tf.Tensor2D;
}

/** As it is stored, `[vocab, dModel]`: a large one is not to be changed as a whole. */
const unembedding = (spec: TransformerSpec, weights: WeightLookup) =>
  weights(`${unembeddingModule(spec)}.weight`) as tf.Tensor2D;

/** One side of the products that logits are, with the factor that some families have. */
const scaled = ({ logits: { scale } }: TransformerSpec, x: tf.Tensor) => (scale === 1 ? x : tf.mul(x, scale));

const biasOf = (spec: TransformerSpec, weights: WeightLookup) =>
  weights(unembeddingBias(spec)) as tf.Tensor1D;

/** Products with tokens' directions as logits: with their bias, where there is one, and capped. */
const finished = ({ biases, logits }: TransformerSpec, linear: tf.Tensor, bias: () => tf.Tensor) =>
  capped(biases.unembedding ? tf.add(linear, bias()) : linear, logits.cap);
