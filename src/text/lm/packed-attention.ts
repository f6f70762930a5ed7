/** @file Attention of tokens of many sequences that lie one after the other without gaps. */

import { once } from '../../core/once.js';
import { softmaxAttention } from '../../engine/functions/attention.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { sinkScores } from './attention.js';
import { consecutive } from './positions.js';
import type { KeysAndValues, KeyValueCache, Memory, Projected } from './reading.js';
import { attentionScale, leadOf, type TransformerSpec } from './spec.js';

/** Keys and values of sequences, `[batch, kvHead, pos, dHead]`, behind those of one lead, `[1, kvHead, lead, dHead]`. */
export function behind(lead: KeysAndValues, own: KeysAndValues): KeysAndValues {
  const join = (first: tf.Tensor, then: tf.Tensor) =>
    tf.concat([tf.tile(first, [then.shape[0]!, 1, 1, 1]), then], 2);
  return { k: join(lead.k, own.k), v: join(lead.v, own.v) };
}

/** Some tokens of sequences whose other tokens were read before, one after the other without gaps. */
export interface PackedTokens {
  /** `[tokens]` int32 */
  readonly ids: tf.Tensor;
  /** `[tokens]` int32 */
  readonly positions: tf.Tensor;
  /** Where each token stands in the sequences one after the other, sequence * pos + position; `[tokens]` int32. */
  readonly slots: tf.Tensor;
  /**
   * What stands in the sequences: the row of `past`, or as many rows as that has and the token's number;
   * `[sequences, pos]` int32.
   */
  readonly sources: tf.Tensor;
  /** Keys and values of tokens that were read before, `[rows, kvHead, dHead]`. */
  readonly past: KeyValueCache;
}

/**
 * What tokens look at, by layer: sequences are put together from keys and values that were known and those of the tokens,
 * all of them see what stands before them, and each token gets its own part.
 *
 * @param lead - what stands before position 0 of every sequence, by layer
 */
export function packedMemory(
  spec: TransformerSpec,
  weights: WeightLookup,
  packed: PackedTokens,
  lead: ((layer: number) => KeysAndValues) | null = null,
): (layer: number, own: Projected) => Memory {
  const { past, slots, sources } = packed;
  const [tokens] = packed.ids.shape as [number];
  const [sequences, pos] = sources.shape as [number, number];
  const { heads, kvHeads, dHead } = spec;
  const int = (value: number) => tf.scalar(value, 'int32');
  /** The row by head that stands at each place of the sequences by head: `[sequences * head * pos]`. */
  const byHead = (rows: tf.Tensor, count: number) =>
    tf.reshape(
      tf.add(
        tf.mul(tf.reshape(rows, [sequences, 1, pos]), int(count)),
        tf.reshape(tf.range(0, count, 1, 'int32'), [1, count, 1]),
      ),
      [sequences * count * pos],
    ) as tf.Tensor1D;
  const keyRows = byHead(sources, kvHeads);
  // Queries of tokens read before are not needed: any will do.
  const queryRows = byHead(tf.maximum(tf.sub(sources, int(past.keys[0]!.shape[0]!)), int(0)), heads);
  /** Where each token's heads stand among `[sequences, head, pos]`: `[tokens * head]`. */
  const back = once(() => {
    const numbers = tf.reshape(tf.range(0, sequences * heads * pos, 1, 'int32'), [sequences, heads, pos]);
    const byPlace = tf.reshape(tf.transpose(numbers, [0, 2, 1]), [sequences * pos, heads]);
    return tf.reshape(tf.gather(byPlace, slots as tf.Tensor1D), [tokens * heads]) as tf.Tensor1D;
  });
  const before = leadOf(spec).length;
  const masks = consecutive(spec, pos, before);
  return (layer, { q, k, v }) => {
    const rows = (x: tf.Tensor) => tf.reshape(x, [-1, dHead]);
    const all = (past: tf.Tensor, x: tf.Tensor) =>
      tf.reshape(tf.gather(tf.concat([rows(past), rows(x)], 0), keyRows), [sequences, kvHeads, pos, dHead]);
    // The heads that share a key-value head are more queries to it.
    const queries = tf.reshape(tf.gather(rows(q), queryRows), [
      sequences,
      kvHeads,
      (heads / kvHeads) * pos,
      dHead,
    ]);
    const whole = { k: all(past.keys[layer]!, k), v: all(past.values[layer]!, v) };
    const seenBy = lead ? behind(lead(layer), whole) : whole;
    const mask = masks.mask(spec.windows[layer]!);
    const seen = once(() =>
      softmaxAttention(queries, seenBy.k, seenBy.v, mask, {
        scale: attentionScale(spec, layer),
        cap: spec.attentionCap,
        sink: sinkScores(spec, weights, layer, pos),
      }),
    );
    /** `[sequences, head, pos, size]` to `[tokens, head, 1, size]`. */
    const ofTokens = (x: tf.Tensor, size: number) =>
      tf.reshape(tf.gather(tf.reshape(x, [sequences * heads * pos, size]), back()), [tokens, heads, 1, size]);
    return {
      k,
      v,
      pattern: once(() => ofTokens(seen().pattern, before + pos)),
      z: once(() => ofTokens(seen().z, dHead)),
    };
  };
}
