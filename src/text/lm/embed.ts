/** @file From token ids to the stream: the only reader of the embedding matrices. */
import * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { norm } from './norm.js';
import { bodyModule } from './parameters.js';
import type { Positions } from './positions.js';
import type { TransformerSpec } from './spec.js';

const tableName = (spec: TransformerSpec) => `${bodyModule(spec, 'tokenEmbedding')}.weight`;

/** Embeddings of token ids `[batch, pos]`, without positions: `[batch, pos, dModel]`. */
export function embedTokens(spec: TransformerSpec, weights: WeightLookup, ids: tf.Tensor): tf.Tensor {
  return tf.gather(weights(tableName(spec)), ids as tf.Tensor2D);
}

/** The whole embedding table, `[vocab, dModel]`; its rows are what `embedTokens` gives. */
export function embeddingTable(spec: TransformerSpec, weights: WeightLookup): tf.Tensor2D {
  return weights(tableName(spec)) as tf.Tensor2D;
}

/** The stream that enters the first layer, `[batch, pos, dModel]`, given the embeddings of tokens alone. */
export function enterStream(
  spec: TransformerSpec,
  weights: WeightLookup,
  embeddings: tf.Tensor,
  positions: Positions,
): tf.Tensor {
  const scaled = spec.embeddingScale === 1 ? embeddings : tf.mul(embeddings, spec.embeddingScale);
  const normed = spec.modules.embeddingNorm
    ? norm(spec, weights, bodyModule(spec, 'embeddingNorm'), scaled)
    : scaled;
  if (spec.positions.kind !== 'learned') return normed;
  const table = weights(`${bodyModule(spec, 'positionEmbedding')}.weight`);
  return tf.add(normed, positions.learned(table));
}
