/** @file The loss that a language model is trained and judged by. */
import { meanCrossEntropy } from '../src/engine/functions/mean-cross-entropy.js';
import * as tf from '../src/engine/functions/tfjs.js';
import type { WeightLookup } from '../src/engine/weights/weights.js';
import type { TransformerSpec } from '../src/text/lm/spec.js';
import { forward } from '../src/text/lm/transformer.js';
import { logitDirections } from '../src/text/lm/unembed.js';

/** Mean nats a token. @param inputs - `ids` int32 `[batch, pos]`, `targets` int32 `[batch * pos]` */
export function languageModelLoss(
  spec: TransformerSpec,
  inputs: Record<string, tf.Tensor>,
  weights: WeightLookup,
): tf.Scalar {
  const hidden = forward(spec, weights, { ids: inputs.ids! }).at('ln_final.hook_normalized');
  const rows = tf.reshape(hidden, [-1, spec.dModel]) as tf.Tensor2D;
  const matrix = logitDirections(spec, weights);
  return meanCrossEntropy(rows, matrix, inputs.targets as tf.Tensor1D);
}
