/**
 * @file A decoder-only transformer, of any family that a TransformerSpec describes.
 *
 * It computes on demand: `forward` and `step` return at once, and asking for a place (a residual stream, a head's
 * output, a neuron, the logits) computes what that place needs and no more, and remembers it. So a compiled
 * function that asks for one layer's heads has no later layer in it, nor that layer's MLP.
 *
 * Axes: batch, pos, dModel, head, dHead, neuron, vocab.
 */

import { UserError } from '../../core/errors.js';
import { once } from '../../core/once.js';
import { attendCached, writeAt } from '../../engine/functions/attention.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { plainScores } from './attention.js';
import { type Block, block } from './block.js';
import { embedTokens, enterStream } from './embed.js';
import { behind, type PackedTokens, packedMemory } from './packed-attention.js';
import { type Place, parsePlace } from './places.js';
import { consecutive, singleTokens } from './positions.js';
import type { Edits, KeysAndValues, KeyValueCache, Lazy, Reading } from './reading.js';
import { attentionScale, leadOf, type TransformerSpec, tailOf } from './spec.js';
import { finalNorm, targetLogProbs, unembed } from './unembed.js';

/** A transformer applied to something. What is asked for is computed once. */
export interface Pass {
  /** The activation at a place; `Place` lists names and shapes. Throws Error for a place the model lacks. */
  at(place: Place): tf.Tensor;
  /**
   * Keys and values after this pass. Of `forward`: `[batch, kvHead, pos, dHead]`.
   *
   * @param layers - of the first so many layers; default: all
   */
  cache(layers?: number): KeyValueCache;
}

/** A pass whose first layers were computed before: the stream `[rows, dModel]` before a layer. */
export interface Begun {
  readonly layer: number;
  readonly stream: tf.Tensor;
}

/** What `forward` reads: token ids `[batch, pos]` int32, or their embeddings `[batch, pos, dModel]`. */
export type TransformerInput = { readonly ids: tf.Tensor } | { readonly embeddings: tf.Tensor };

/**
 * Reads whole sequences, from position 0, with what the spec's frame puts around them: what stands before position 0 is
 * read once for all of them, and places have the positions of the tail behind their own.
 *
 * Embeddings are those of tokens alone, as `embedTokens` gives them; learned positions are added after them.
 *
 * @throws UserError when the sequences are longer than the model's context
 */
export function forward(
  spec: TransformerSpec,
  weights: WeightLookup,
  input: TransformerInput,
  edits: Edits = {},
): Pass {
  const [batch, given] = ('ids' in input ? input.ids : input.embeddings).shape as [number, number];
  if (given > spec.context)
    throw new UserError(
      `a text of ${given} tokens is longer than the model's context of ${spec.context} tokens`,
    );
  const tail = tailOf(spec);
  const pos = given + tail.length;
  const lead = readLead(spec, weights, edits);
  return run(
    {
      spec,
      weights,
      batch,
      pos,
      positions: consecutive(spec, pos, leadOf(spec).length),
      remember: lead ? (layer, { k, v }) => behind(lead(layer), { k, v }) : (_, { k, v }) => ({ k, v }),
      edits,
    },
    () => {
      const own = 'ids' in input ? embedTokens(spec, weights, input.ids) : input.embeddings;
      if (tail.length === 0) return own;
      const behindIt = embedTokens(spec, weights, tf.tensor2d([...tail], [1, tail.length], 'int32'));
      return tf.concat([own, tf.tile(behindIt, [batch, 1, 1])], 1);
    },
  );
}

/**
 * Keys and values of what stands before position 0 of every sequence, by layer, `[1, kvHead, lead, dHead]`; null where
 * nothing does.
 */
export function readLead(
  spec: TransformerSpec,
  weights: WeightLookup,
  edits: Edits = {},
): ((layer: number) => KeysAndValues) | null {
  const ids = leadOf(spec);
  const pos = ids.length;
  if (pos === 0) return null;
  const pass = run(
    {
      spec,
      weights,
      batch: 1,
      pos,
      edits,
      positions: consecutive(spec, pos),
      remember: (_, { k, v }) => ({ k, v }),
    },
    () => embedTokens(spec, weights, tf.tensor2d([...ids], [1, pos], 'int32')),
  );
  return (layer) => {
    const { keys, values } = pass.cache(layer + 1);
    return { k: keys[layer]!, v: values[layer]! };
  };
}

/**
 * Reads tokens of many sequences of one length, each with what stands before it in its own: weights meet rows that
 * matter and no others. Places have one token a row, batch = tokens and pos = 1; `kPos` is all positions. Its `cache` has
 * what the tokens add to `past`.
 *
 * @param begun - where the first layers were computed before: nothing of them may be asked for
 */
export function readPacked(
  spec: TransformerSpec,
  weights: WeightLookup,
  packed: PackedTokens,
  begun?: Begun,
): Pass {
  const { ids, positions, sources } = packed;
  const [tokens] = ids.shape as [number];
  return run(
    {
      spec,
      weights,
      batch: tokens,
      pos: 1,
      positions: singleTokens(spec, behindLead(spec, positions), leadOf(spec).length + sources.shape[1]!),
      remember: packedMemory(spec, weights, packed, readLead(spec, weights)),
      edits: {},
    },
    () => embedTokens(spec, weights, tf.reshape(ids, [tokens, 1])),
    begun,
  );
}

/**
 * Reads one more token a row, with what was read before in a cache of fixed capacity. Every row stands at a
 * position of its own, so one graph serves every step: the row's token is written to the cache at its position
 * and sees what is there up to it. Places have pos = 1, `kPos` = capacity. What the frame puts before position 0 stands in
 * the cache already (`EmptyCaches`).
 *
 * @param token.ids - `[batch]` int32
 * @param token.positions - `[batch]` int32, which with those before position 0 are below the cache's capacity
 */
export function step(
  spec: TransformerSpec,
  weights: WeightLookup,
  token: { readonly ids: tf.Tensor; readonly positions: tf.Tensor; readonly cache: KeyValueCache },
): Pass {
  const positions = behindLead(spec, token.positions);
  const [batch] = positions.shape;
  const capacity = token.cache.keys[0]!.shape[2]!;
  return run(
    {
      spec,
      weights,
      batch,
      pos: 1,
      positions: singleTokens(spec, positions, capacity),
      remember: (layer, { q, k, v }) => {
        const cache = { k: token.cache.keys[layer]!, v: token.cache.values[layer]! };
        const window = spec.windows[layer]!;
        if (plainScores(spec) && (window === null || window >= capacity)) {
          const attended = attendCached(q, k, v, cache, positions, attentionScale(spec, layer));
          return { ...attended, z: () => attended.z };
        }
        return { k: writeAt(cache.k, k, positions), v: writeAt(cache.v, v, positions) };
      },
      edits: {},
    },
    () => embedTokens(spec, weights, tf.reshape(token.ids, [batch, 1])),
  );
}

/** Positions of sequences as the model counts them. */
function behindLead(spec: TransformerSpec, positions: tf.Tensor): tf.Tensor1D {
  const lead = leadOf(spec).length;
  return (lead === 0 ? positions : tf.add(positions, tf.scalar(lead, 'int32'))) as tf.Tensor1D;
}

/**
 * Log-probability of every token but the first given those before it, in nats.
 *
 * @param ids - token ids `[batch, pos]` int32, those that `read` read
 * @param bias - `[vocab]`, added to all logits (`bannedMask`)
 * @returns `[batch, pos - 1]`
 */
export function sequenceLogProbs(
  spec: TransformerSpec,
  weights: WeightLookup,
  pass: Pass,
  ids: tf.Tensor,
  bias: tf.Tensor | null = null,
): tf.Tensor {
  const [batch, pos] = ids.shape as [number, number];
  const hidden = tf.slice(pass.at('ln_final.hook_normalized'), [0, 0, 0], [batch, pos - 1, spec.dModel]);
  const logProbs = targetLogProbs(
    spec,
    weights,
    tf.reshape(hidden, [batch * (pos - 1), spec.dModel]),
    tf.reshape(tf.slice(ids, [0, 1], [batch, pos - 1]), [batch * (pos - 1)]),
    bias,
  );
  return tf.reshape(logProbs, [batch, pos - 1]);
}

/** All layers on embeddings `[batch, pos, dModel]`, or those from where a pass was begun. */
function run(reading: Reading, embeddings: Lazy<tf.Tensor>, begun?: Begun): Pass {
  const { spec, weights, batch, pos, positions } = reading;
  const rows = batch * pos;

  const embedded = once(() =>
    tf.reshape(enterStream(spec, weights, embeddings(), positions), [rows, spec.dModel]),
  );
  const layers: Block[] = [];
  for (let layer = 0; layer < spec.layers; layer++) {
    const before = layer === begun?.layer ? () => begun.stream : layers.at(-1)?.output;
    layers.push(block(reading, layer, before ?? embedded));
  }

  const final = once(() => finalNorm(spec, weights, layers.at(-1)!.output())); // [rows, dModel]
  const logits = once(() => tf.reshape(unembed(spec, weights, final()), [batch, pos, spec.vocab]));
  const normalized = once(() => tf.reshape(final(), [batch, pos, spec.dModel]));

  return {
    at: (place) => {
      const parsed = parsePlace(place, spec);
      if (parsed.layer === null) return parsed.name === 'logits' ? logits() : normalized();
      const layer = layers[parsed.layer]!;
      return parsed.name === 'expert' ? layer.expert!(parsed.expert) : layer.places[parsed.name]!();
    },
    cache: (count = spec.layers) => {
      const read = layers.slice(0, count).map((layer) => layer.keysAndValues());
      return { keys: read.map(({ k }) => k), values: read.map(({ v }) => v) };
    },
  };
}
