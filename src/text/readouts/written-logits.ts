/** @file The logits that a unit's own output raises and lowers most: computed in a graph, and with their tokens. */
import type { Explanation } from '../../core/explanation.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { TypedArray } from '../../engine/tensor-spec.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import type { TransformerSpec } from '../lm/spec.js';
import type { Tokenizer } from '../lm/tokenizer.js';
import { logitChange } from '../lm/unembed.js';

/** Logits reported at each end. */
const LOGITS_REPORTED = 10;

/**
 * The largest and the smallest changes of the logits, less their mean.
 *
 * @param written - behind the final norm, `[row, dModel]`
 * @returns `topIds`, `topValues`, `bottomIds`, `bottomValues`, each `[row, LOGITS_REPORTED]` (fewer of a small vocabulary)
 */
export function writtenLogits(
  spec: TransformerSpec,
  weights: WeightLookup,
  written: tf.Tensor,
): Record<string, tf.Tensor> {
  const change = logitChange(spec, weights, written);
  const centred = tf.sub(change, tf.mean(change, -1, true));
  const count = Math.min(LOGITS_REPORTED, spec.vocab);
  const [top, bottom] = [tf.topk(centred, count), tf.topk(tf.neg(centred), count)];
  return {
    topIds: top.indices,
    topValues: top.values,
    bottomIds: bottom.indices,
    bottomValues: tf.neg(bottom.values),
  };
}

/** What `writtenLogits` gave for one of so many rows; null where it was not asked. */
export function readLogits(
  read: Readonly<Record<string, TypedArray>>,
  tokenizer: Tokenizer,
  row = 0,
  rows = 1,
): Explanation['logits'] {
  if (!read.topIds) return null;
  const count = read.topIds.length / rows;
  const tokens = (end: 'top' | 'bottom') =>
    Array.from(read[`${end}Ids`]!.subarray(row * count, (row + 1) * count), (id, i) => ({
      token: tokenizer.tokenString(id),
      value: read[`${end}Values`]![row * count + i]!,
    }));
  return { top: tokens('top'), bottom: tokens('bottom') };
}
