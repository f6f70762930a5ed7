/**
 * @file A decoder-only transformer, of any family that a TransformerSpec describes.
 *
 * It computes on demand: `forward` and `step` return at once, and asking for a place (a residual stream, a head's
 * output, a neuron, the logits) computes what that place needs and no more, and remembers it. So a compiled
 * function that asks for one layer's heads has no later layer in it, nor that layer's MLP.
 *
 * Axes: batch, pos, dModel, head, dHead, neuron, vocab. Inside, the stream is `[rows, dModel]`,
 * rows = batch * pos, so that every weight meets it in one 2-D product.
 */
import { attendCached, rotate, softmaxAttention, writeAt } from '../engine/attention.js';
import { causalAttention } from '../engine/causal-attention.js';
import { gelu, geluTanh, layerNorm, rmsNorm, silu, tokenLogProbs } from '../engine/ops.js';
import * as tf from '../engine/tfjs.js';
import type { WeightLookup } from '../engine/weights.js';
import { UserError } from '../errors.js';
import { families } from './families.js';
import { once } from './once.js';
import { bodyModule, layerModule, unembeddingModule } from './parameters.js';
import { type LayerPlace, type Place, parsePlace } from './places.js';
import { consecutive, type Positions, singleTokens } from './positions.js';
import type { Activation, TransformerSpec } from './spec.js';

/** Keys (rotated) and values of past tokens, one tensor a layer, `[batch, kvHead, capacity, dHead]`. */
export interface KeyValueCache {
  readonly keys: readonly tf.Tensor[];
  readonly values: readonly tf.Tensor[];
}

/** A transformer applied to something. What is asked for is computed once. */
export interface Run {
  /** The activation at a place; `Place` lists names and shapes. Throws Error for a place the model lacks. */
  at(place: Place): tf.Tensor;
  /**
   * Keys and values after this run. Of `forward`: `[batch, kvHead, pos, dHead]` (see `padCache`).
   *
   * @param layers - of the first so many layers; all unless told otherwise
   */
  cache(layers?: number): KeyValueCache;
}

/**
 * Changes to what a layer computes, by place: the function gets the activation and gives what is to stand there
 * (`run_with_hooks` of TransformerLens). Of `blocks.L.attn.hook_z` and `blocks.L.mlp.hook_post`.
 */
export type Edits = Readonly<Record<string, (activation: tf.Tensor) => tf.Tensor>>;

/** What `forward` reads: token ids `[batch, pos]` int32, or their embeddings `[batch, pos, dModel]`. */
export type Sequences = { readonly ids: tf.Tensor } | { readonly embeddings: tf.Tensor };

/**
 * Reads whole sequences, from position 0.
 *
 * Embeddings are those of tokens alone, as `embedTokens` gives them; learned positions are added after them.
 *
 * @throws UserError when the sequences are longer than the model's context
 */
export function forward(
  spec: TransformerSpec,
  weights: WeightLookup,
  input: Sequences,
  edits: Edits = {},
): Run {
  const [batch, pos] = ('ids' in input ? input.ids : input.embeddings).shape as [number, number];
  if (pos > spec.context)
    throw new UserError(
      `a text of ${pos} tokens is longer than the model's context of ${spec.context} tokens`,
    );
  return run(
    {
      spec,
      weights,
      batch,
      pos,
      positions: consecutive(spec, 0, pos),
      remember: (_, { k, v }) => ({ k, v }),
      edits,
    },
    () => ('ids' in input ? embedTokens(spec, weights, input.ids) : input.embeddings),
  );
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
 * Reads tokens of many sequences of one length, each with what stands before it in its own: products see rows that
 * matter and no others. Places have one token a row, batch = tokens and pos = 1; `kPos` is all positions.
 */
export function readPacked(spec: TransformerSpec, weights: WeightLookup, packed: PackedTokens): Run {
  const { past, slots, sources } = packed;
  const [tokens] = packed.ids.shape as [number];
  const [sequences, pos] = sources.shape as [number, number];
  const { heads, kvHeads, dHead } = spec;
  const int = (value: number) => tf.scalar(value, 'int32');
  /** Of each place of the sequences by head, the row by head that stands there: `[sequences * head * pos]`. */
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
  const masks = consecutive(spec, 0, pos);
  return run(
    {
      spec,
      weights,
      batch: tokens,
      pos: 1,
      positions: singleTokens(spec, packed.positions as tf.Tensor1D, pos),
      remember: (layer, { q, k, v }) => {
        const rows = (x: tf.Tensor) => tf.reshape(x, [-1, dHead]);
        const all = (past: tf.Tensor, x: tf.Tensor) =>
          tf.reshape(tf.gather(tf.concat([rows(past), rows(x)], 0), keyRows), [
            sequences,
            kvHeads,
            pos,
            dHead,
          ]);
        // The heads that share a key-value head are more queries to it.
        const queries = tf.reshape(tf.gather(rows(q), queryRows), [
          sequences,
          kvHeads,
          (heads / kvHeads) * pos,
          dHead,
        ]);
        const [keys, values] = [all(past.keys[layer]!, k), all(past.values[layer]!, v)];
        const mask = masks.mask(spec.windows[layer]!);
        const seen = once(() => softmaxAttention(queries, keys, values, mask, spec.attentionScale));
        /** `[sequences, head, pos, size]` to `[tokens, head, 1, size]`. */
        const ofTokens = (x: tf.Tensor, size: number) =>
          tf.reshape(tf.gather(tf.reshape(x, [sequences * heads * pos, size]), back()), [
            tokens,
            heads,
            1,
            size,
          ]);
        return {
          k,
          v,
          pattern: once(() => ofTokens(seen().pattern, pos)),
          z: once(() => ofTokens(seen().z, dHead)),
        };
      },
      edits: {},
    },
    () => embedTokens(spec, weights, tf.reshape(packed.ids, [tokens, 1])),
  );
}

/**
 * Reads one more token a row, with what was read before in a cache of fixed capacity. Every row stands at a
 * position of its own, so one graph serves every step: the row's token is written to the cache at its position
 * and sees what is there up to it. Places have pos = 1, `kPos` = capacity.
 *
 * @param token.ids - `[batch]` int32
 * @param token.positions - `[batch]` int32, below the cache's capacity
 */
export function step(
  spec: TransformerSpec,
  weights: WeightLookup,
  token: { readonly ids: tf.Tensor; readonly positions: tf.Tensor; readonly cache: KeyValueCache },
): Run {
  const positions = token.positions as tf.Tensor1D;
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
        if (window === null || window >= capacity) {
          const attended = attendCached(q, k, v, cache, positions, spec.attentionScale);
          return { ...attended, z: () => attended.z };
        }
        return { k: writeAt(cache.k, k, positions), v: writeAt(cache.v, v, positions) };
      },
      edits: {},
    },
    () => embedTokens(spec, weights, tf.reshape(token.ids, [batch, 1])),
  );
}

/** A cache with room for `capacity` positions. What lies past a row's position is never read. */
export function padCache(cache: KeyValueCache, capacity: number): KeyValueCache {
  const pad = (x: tf.Tensor) =>
    tf.pad(x, [
      [0, 0],
      [0, 0],
      [0, capacity - x.shape[2]!],
      [0, 0],
    ]);
  return { keys: cache.keys.map(pad), values: cache.values.map(pad) };
}

/** Embeddings of token ids `[batch, pos]`, without positions: `[batch, pos, dModel]`. */
export function embedTokens(spec: TransformerSpec, weights: WeightLookup, ids: tf.Tensor): tf.Tensor {
  return tf.gather(weights(`${bodyModule(spec, 'tokenEmbedding')}.weight`), ids as tf.Tensor2D);
}

/** What the unembedding reads, given the stream after the last layer; both `[rows, dModel]`. */
export function finalNorm(spec: TransformerSpec, weights: WeightLookup, stream: tf.Tensor): tf.Tensor {
  return norm({ spec, weights }, bodyModule(spec, 'finalNorm'), stream);
}

/** The unembedding matrix, `[vocab, dModel]`. */
export function unembedding(spec: TransformerSpec, weights: WeightLookup): tf.Tensor {
  return weights(`${unembeddingModule(spec)}.weight`);
}

/** W_O of a layer by head, `[head, dHead, dModel]`: a head's residual delta is z W_O. */
export function headOutputWeights(spec: TransformerSpec, weights: WeightLookup, layer: number): tf.Tensor {
  const { layer: names, matrices } = families[spec.family].modules;
  const stored = weights(`${layerModule(spec, layer, names.output)}.weight`);
  const inOut = matrices === 'in,out' ? stored : tf.transpose(stored); // [head * dHead, dModel]
  return tf.reshape(inOut, [spec.heads, spec.dHead, spec.dModel]);
}

/** What each neuron of a layer writes to the stream per unit of activation, `[neuron, dModel]`. */
export function neuronOutputWeights(spec: TransformerSpec, weights: WeightLookup, layer: number): tf.Tensor {
  const { layer: names, matrices } = families[spec.family].modules;
  const stored = weights(`${layerModule(spec, layer, names.down)}.weight`);
  return matrices === 'in,out' ? stored : tf.transpose(stored);
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
  read: Run,
  ids: tf.Tensor,
  bias: tf.Tensor | null = null,
): tf.Tensor {
  const [batch, pos] = ids.shape as [number, number];
  const hidden = tf.slice(read.at('ln_final.hook_normalized'), [0, 0, 0], [batch, pos - 1, spec.dModel]);
  const logProbs = tokenLogProbs(
    tf.reshape(hidden, [batch * (pos - 1), spec.dModel]),
    unembedding(spec, weights),
    bias,
    tf.reshape(tf.slice(ids, [0, 1], [batch, pos - 1]), [batch * (pos - 1)]),
  );
  return tf.reshape(logProbs, [batch, pos - 1]);
}

// ----------------------------------------------------------------------------------------------------------------
// Layers

/** Of the tokens being read: q `[batch, head, pos, dHead]`, k and v `[batch, kvHead, pos, dHead]`. */
type Projected = Record<'q' | 'k' | 'v', tf.Tensor>;

/** What they look at. */
interface Memory {
  /** `[batch, kvHead, kPos, dHead]` */
  readonly k: tf.Tensor;
  readonly v: tf.Tensor;
  /** What they see of it and get of it, where that is known already. */
  readonly pattern?: Attention['pattern'];
  readonly z?: Attention['z'];
}

/** What all layers of one run share. */
interface Reading {
  readonly spec: TransformerSpec;
  readonly weights: WeightLookup;
  readonly batch: number;
  readonly pos: number;
  readonly positions: Positions;
  /** What the tokens being read look at, given what they are themselves. */
  readonly remember: (layer: number, own: Projected) => Memory;
  readonly edits: Edits;
}

type Lazy<T> = () => T;

/** A module's normalization of the last axis, `[..., size]`. */
function norm({ spec, weights }: Pick<Reading, 'spec' | 'weights'>, module: string, x: tf.Tensor): tf.Tensor {
  const scale = weights(`${module}.weight`);
  if (spec.norm.kind === 'rms') return rmsNorm(x, scale, spec.norm.eps);
  return layerNorm(x, scale, weights(`${module}.bias`), spec.norm.eps);
}

/** A linear map of a layer: `[rows, in]` to `[rows, out]`. */
function linear({ spec, weights }: Reading, module: string, x: tf.Tensor, bias: boolean): tf.Tensor {
  const outIn = families[spec.family].modules.matrices === 'out,in';
  const y = tf.matMul(x as tf.Tensor2D, weights(`${module}.weight`) as tf.Tensor2D, false, outIn);
  return bias ? tf.add(y, weights(`${module}.bias`)) : y;
}

const activate: Record<Activation, (x: tf.Tensor) => tf.Tensor> = { gelu, geluTanh, silu, relu: tf.relu };

/** Queries `[batch, head, pos, dHead]`, keys and values `[batch, kvHead, pos, dHead]`; no rotation yet. */
function project(reading: Reading, layer: number, x: tf.Tensor): Projected {
  const { spec, batch, pos } = reading;
  const { heads, kvHeads, dHead } = spec;
  const { attention } = families[spec.family].modules.layer;
  const byHead = (y: tf.Tensor, count: number) =>
    // [batch, pos, head, dHead] -> [batch, head, pos, dHead]
    tf.transpose(tf.reshape(y, [batch, pos, count, dHead]), [0, 2, 1, 3]);

  if (attention.kind === 'separate') {
    const map = (module: string) => linear(reading, layerModule(spec, layer, module), x, spec.biases.qkv);
    return {
      q: byHead(map(attention.query), heads),
      k: byHead(map(attention.key), kvHeads),
      v: byHead(map(attention.value), kvHeads),
    };
  }
  const fused = linear(reading, layerModule(spec, layer, attention.queryKeyValue), x, spec.biases.qkv);
  const partFirst = attention.order === 'part,head';
  const shape = partFirst ? [batch * pos, 3, heads, dHead] : [batch * pos, heads, 3, dHead];
  const [q, k, v] = tf.split(tf.reshape(fused, shape), 3, partFirst ? 1 : 2); // [rows, 1, head, dHead] or [rows, head, 1, dHead]
  return { q: byHead(q!, heads), k: byHead(k!, heads), v: byHead(v!, heads) };
}

interface Attention {
  /** `[batch, head, qPos, kPos]` */
  readonly pattern: Lazy<tf.Tensor>;
  /** `[batch, head, pos, dHead]` */
  readonly z: Lazy<tf.Tensor>;
}

/** From so many positions on, leaving out what is masked saves more than the cutting costs. */
const LONG = 128;

/** Attention of one layer, given its keys and values. */
function attend(reading: Reading, layer: number, query: tf.Tensor, memory: Memory): Attention {
  const { spec, batch, pos, positions } = reading;
  const { heads, kvHeads, dHead } = spec;
  const { k, v } = memory;
  const window = spec.windows[layer]!;
  const whole = once(() => {
    // The heads that share a key-value head are more queries to it: [batch, kvHead, group * pos, dHead].
    const q = tf.reshape(query, [batch, kvHeads, (heads / kvHeads) * pos, dHead]);
    return softmaxAttention(q, k, v, positions.mask(window), spec.attentionScale);
  });
  const long = pos >= LONG && heads === kvHeads && positions.causal(window);
  return {
    pattern: memory.pattern ?? once(() => tf.reshape(whole().pattern, [batch, heads, pos, k.shape[2]!])),
    z:
      memory.z ??
      once(() =>
        long
          ? causalAttention(query as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, spec.attentionScale)
          : tf.reshape(whole().z, [batch, heads, pos, dHead]),
      ),
  };
}

interface Layer {
  readonly places: Record<LayerPlace, Lazy<tf.Tensor>>;
  readonly keysAndValues: Lazy<Memory>;
  /** The stream after the layer, `[rows, dModel]`. */
  readonly output: Lazy<tf.Tensor>;
}

/** One layer, `input` being the stream before it, `[rows, dModel]`. Nothing is computed yet. */
function transformerLayer(reading: Reading, layer: number, input: Lazy<tf.Tensor>): Layer {
  const { spec, weights, batch, pos, positions, remember } = reading;
  const { layer: names } = families[spec.family].modules;
  const { heads, dHead, dModel, dMlp, biases } = spec;
  const rows = batch * pos;
  const module = (name: string) => layerModule(spec, layer, name);
  const edited = (place: LayerPlace, x: tf.Tensor) => reading.edits[`blocks.${layer}.${place}`]?.(x) ?? x;
  const sequence = (x: Lazy<tf.Tensor>) => once(() => tf.reshape(x(), [batch, pos, -1]));

  // Attention
  const projected = once(() => {
    const { q, k, v } = project(reading, layer, norm(reading, module(names.attentionNorm), input()));
    const placed = (x: tf.Tensor, normName: string | undefined) => {
      const normed = normName ? norm(reading, module(normName), x) : x;
      if (spec.positions.kind !== 'rotary') return normed;
      return rotate(normed, positions.rotation());
    };
    return { q: placed(q, names.queryNorm), k: placed(k, names.keyNorm), v };
  });
  const keysAndValues = once(() => remember(layer, projected()));
  const attention = once(() => attend(reading, layer, projected().q, keysAndValues()));
  // [batch, pos, head, dHead]
  const z = once(() => edited('attn.hook_z', tf.transpose(attention().z(), [0, 2, 1, 3])));
  const attentionOut = once(() =>
    linear(reading, module(names.output), tf.reshape(z(), [rows, heads * dHead]), biases.output),
  );
  const result = once(() => {
    const byHead = tf.reshape(tf.transpose(z(), [2, 0, 1, 3]), [heads, rows, dHead]);
    const deltas = tf.matMul(byHead, headOutputWeights(spec, weights, layer)); // [head, rows, dModel]
    return tf.transpose(tf.reshape(deltas, [heads, batch, pos, dModel]), [1, 2, 0, 3]);
  });
  const middle = once(() => tf.add(input(), attentionOut()));

  // MLP
  const mlpInput = once(() =>
    norm(reading, module(names.mlpNorm), spec.parallelResidual ? input() : middle()),
  );
  const pre = once(() => linear(reading, module(names.gate ?? names.up), mlpInput(), biases.mlp)); // [rows, neuron]
  const active = once(() => {
    const gate = activate[spec.activation](pre());
    return names.gate ? tf.mul(gate, linear(reading, module(names.up), mlpInput(), biases.mlp)) : gate;
  });
  const neurons = (x: tf.Tensor) => tf.reshape(x, [batch, pos, dMlp]);
  const post = once(() => edited('mlp.hook_post', neurons(active())));
  const output = once(() =>
    tf.add(middle(), linear(reading, module(names.down), tf.reshape(post(), [rows, dMlp]), biases.mlp)),
  );

  return {
    places: {
      hook_resid_pre: sequence(input),
      hook_resid_mid: sequence(middle),
      hook_resid_post: sequence(output),
      'attn.hook_pattern': () => attention().pattern(),
      'attn.hook_z': z,
      'attn.hook_result': result,
      'mlp.hook_pre': once(() => neurons(pre())),
      'mlp.hook_post': post,
    },
    keysAndValues,
    output,
  };
}

/** All layers on embeddings `[batch, pos, dModel]`. */
function run(reading: Reading, embeddings: Lazy<tf.Tensor>): Run {
  const { spec, weights, batch, pos, positions } = reading;
  const rows = batch * pos;

  const embedded = once(() => {
    const tokens = embeddings();
    const placed =
      spec.positions.kind === 'learned'
        ? tf.add(tokens, positions.learned(weights(`${bodyModule(spec, 'positionEmbedding')}.weight`)))
        : tokens;
    return tf.reshape(placed, [rows, spec.dModel]);
  });
  const layers: Layer[] = [];
  for (let layer = 0; layer < spec.layers; layer++)
    layers.push(transformerLayer(reading, layer, layers.at(-1)?.output ?? embedded));

  const final = once(() => finalNorm(spec, weights, layers.at(-1)!.output())); // [rows, dModel]
  const logits = once(() => {
    const matrix = unembedding(spec, weights) as tf.Tensor2D;
    return tf.reshape(tf.matMul(final() as tf.Tensor2D, matrix, false, true), [batch, pos, spec.vocab]);
  });
  const normalized = once(() => tf.reshape(final(), [batch, pos, spec.dModel]));

  return {
    at: (place) => {
      const { layer, name } = parsePlace(place, spec);
      if (layer !== null) return layers[layer]!.places[name]();
      return name === 'logits' ? logits() : normalized();
    },
    cache: (count = spec.layers) => {
      const read = layers.slice(0, count).map((layer) => layer.keysAndValues());
      return { keys: read.map(({ k }) => k), values: read.map(({ v }) => v) };
    },
  };
}
