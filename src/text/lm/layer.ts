/**
 * @file One layer of a transformer: attention and MLP, computed on demand.
 *
 * Axes: batch, pos, dModel, head, dHead, neuron. Inside, the stream is `[rows, dModel]`, rows = batch * pos, so that every
 * weight meets it in one 2-D product.
 */

import { once } from '../../core/once.js';
import { rotate, softmaxAttention } from '../../engine/functions/attention.js';
import { causalAttention } from '../../engine/functions/causal-attention.js';
import { gelu, geluTanh, silu } from '../../engine/functions/ops.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { families } from './families.js';
import { headOutputWeights } from './matrices.js';
import { norm } from './norm.js';
import { layerModule } from './parameters.js';
import type { LayerPlace } from './places.js';
import type { Positions } from './positions.js';
import type { Activation, TransformerSpec } from './spec.js';

/** Keys (rotated) and values of past tokens, one tensor a layer, `[batch, kvHead, capacity, dHead]`. */
export interface KeyValueCache {
  readonly keys: readonly tf.Tensor[];
  readonly values: readonly tf.Tensor[];
}

/**
 * Changes to what a layer computes, by place: the function gets the activation and gives what is to stand there
 * (`run_with_hooks` of TransformerLens). Of `blocks.L.attn.hook_z` and `blocks.L.mlp.hook_post`.
 */
export type Edits = Readonly<Record<string, (activation: tf.Tensor) => tf.Tensor>>;

/** Of the tokens being read: q `[batch, head, pos, dHead]`, k and v `[batch, kvHead, pos, dHead]`. */
export type Projected = Record<'q' | 'k' | 'v', tf.Tensor>;

/** What they look at. */
export interface Memory {
  /** `[batch, kvHead, kPos, dHead]` */
  readonly k: tf.Tensor;
  readonly v: tf.Tensor;
  /** What they see of it and get of it, where that is known already. */
  readonly pattern?: Attention['pattern'];
  readonly z?: Attention['z'];
}

/** What all layers of one run share. */
export interface Reading {
  readonly spec: TransformerSpec;
  readonly weights: WeightLookup;
  readonly batch: number;
  readonly pos: number;
  readonly positions: Positions;
  /** What the tokens being read look at, given what they are themselves. */
  readonly remember: (layer: number, own: Projected) => Memory;
  readonly edits: Edits;
}

export type Lazy<T> = () => T;

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

export interface Layer {
  readonly places: Record<LayerPlace, Lazy<tf.Tensor>>;
  readonly keysAndValues: Lazy<Memory>;
  /** The stream after the layer, `[rows, dModel]`. */
  readonly output: Lazy<tf.Tensor>;
}

/** One layer, `input` being the stream before it, `[rows, dModel]`. Nothing is computed yet. */
export function transformerLayer(reading: Reading, layer: number, input: Lazy<tf.Tensor>): Layer {
  const { spec, weights, batch, pos, positions, remember } = reading;
  const { layer: names } = families[spec.family].modules;
  const { heads, dHead, dModel, dMlp, biases } = spec;
  const rows = batch * pos;
  const module = (name: string) => layerModule(spec, layer, name);
  const edited = (place: LayerPlace, x: tf.Tensor) => reading.edits[`blocks.${layer}.${place}`]?.(x) ?? x;
  const sequence = (x: Lazy<tf.Tensor>) => once(() => tf.reshape(x(), [batch, pos, -1]));

  // Attention
  const projected = once(() => {
    const { q, k, v } = project(reading, layer, norm(spec, weights, module(names.attentionNorm), input()));
    const placed = (x: tf.Tensor, normName: string | undefined) => {
      const normed = normName ? norm(spec, weights, module(normName), x) : x;
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
    norm(spec, weights, module(names.mlpNorm), spec.parallelResidual ? input() : middle()),
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
