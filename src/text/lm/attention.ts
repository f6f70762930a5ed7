/** @file Attention of one layer, on demand. */
import { once } from '../../core/once.js';
import { rotate, softmaxAttention } from '../../engine/functions/attention.js';
import { causalAttention } from '../../engine/functions/causal-attention.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { linear } from './linear.js';
import { headOutputWeights } from './matrices.js';
import { bareNorm, norm } from './norm.js';
import { layerModule } from './parameters.js';
import type { Lazy, Memory, Projected, Reading } from './reading.js';
import { attentionScale, type TransformerSpec } from './spec.js';

export interface Attention {
  /** `[batch, head, qPos, kPos]` */
  readonly pattern: Lazy<tf.Tensor>;
  /** Each head's mix of values, `[batch, pos, head, dHead]`. */
  readonly mix: Lazy<tf.Tensor>;
  /** What each head writes, projection bias left out: `[batch, pos, head, dModel]`. */
  readonly result: Lazy<tf.Tensor>;
  /** `[rows, dModel]` */
  readonly output: Lazy<tf.Tensor>;
  readonly keysAndValues: Lazy<Memory>;
}

/** @param x - what it reads, `[rows, dModel]` */
export function attention(reading: Reading, layer: number, x: Lazy<tf.Tensor>): Attention {
  const { spec, weights, batch, pos } = reading;
  const { heads, dHead, dModel } = spec;
  const rows = batch * pos;
  const projected = once(() => {
    const { q, k, v } = project(reading, layer, x());
    const { queryNorm, keyNorm } = spec.modules.layer;
    return { q: placed(reading, layer, q, queryNorm), k: placed(reading, layer, k, keyNorm), v };
  });
  const keysAndValues = once(() => reading.remember(layer, projected()));
  const attended = once(() => attend(reading, layer, projected().q, keysAndValues()));
  const mix = once(() => {
    const mixed = tf.transpose(attended().z(), [0, 2, 1, 3]); // [batch, pos, head, dHead]
    return reading.edits[`blocks.${layer}.attn.hook_z`]?.(mixed) ?? mixed;
  });
  return {
    pattern: () => attended().pattern(),
    mix,
    result: once(() => {
      const byHead = tf.reshape(tf.transpose(mix(), [2, 0, 1, 3]), [heads, rows, dHead]);
      const deltas = tf.matMul(byHead, headOutputWeights(spec, weights, layer)); // [head, rows, dModel]
      return tf.transpose(tf.reshape(deltas, [heads, batch, pos, dModel]), [1, 2, 0, 3]);
    }),
    output: once(() => {
      const module = layerModule(spec, layer, spec.modules.layer.output);
      return linear(reading, module, tf.reshape(mix(), [rows, heads * dHead]), spec.biases.output);
    }),
    keysAndValues,
  };
}

/** Queries `[batch, head, pos, dHead]`, keys and values `[batch, kvHead, pos, dHead]`; no rotation yet. */
function project(reading: Reading, layer: number, x: tf.Tensor): Projected {
  const { spec, batch, pos } = reading;
  const { heads, kvHeads, dHead } = spec;
  const names = spec.modules.layer.attention;
  const map = (name: string) => linear(reading, layerModule(spec, layer, name), x, spec.biases.qkv);
  const byHead = (y: tf.Tensor, count: number) =>
    // [batch, pos, head, dHead] -> [batch, head, pos, dHead]
    tf.transpose(tf.reshape(y, [batch, pos, count, dHead]), [0, 2, 1, 3]);
  if (names.kind === 'separate')
    return {
      q: byHead(map(names.query), heads),
      k: byHead(map(names.key), kvHeads),
      v: byHead(map(names.value), kvHeads),
    };
  const fused = map(names.queryKeyValue);
  const [q, k, v] =
    names.order === 'part,head'
      ? tf.split(tf.reshape(fused, [batch * pos, heads + 2 * kvHeads, dHead]), [heads, kvHeads, kvHeads], 1)
      : tf.split(
          tf.reshape(fused, [batch * pos, kvHeads, heads / kvHeads + 2, dHead]),
          [heads / kvHeads, 1, 1],
          2,
        );
  return { q: byHead(q!, heads), k: byHead(k!, kvHeads), v: byHead(v!, kvHeads) };
}

/** Queries or keys `[batch, head, pos, dHead]`, normalized and turned by their positions. */
function placed(reading: Reading, layer: number, x: tf.Tensor, normName: string | undefined): tf.Tensor {
  const { spec, weights, positions } = reading;
  const normed = normName ? normalized(reading, layerModule(spec, layer, normName), x) : x;
  const turning = spec.positions.kind === 'rotary' ? spec.positions.layers[layer]! : null;
  return turning ? rotate(normed, positions.rotation(turning)) : normed;

  function normalized({ batch, pos }: Reading, module: string, x: tf.Tensor): tf.Tensor {
    if (spec.qkNorm === 'head') return norm(spec, weights, module, x);
    const [, heads, , dHead] = x.shape as [number, number, number, number];
    if (spec.qkNorm === 'each head') {
      const own = Array.from({ length: heads }, (_, head) => weights(`${module}.norms.${head}.weight`));
      return tf.mul(bareNorm(spec, x), tf.reshape(tf.stack(own), [1, heads, 1, dHead]));
    }
    const all = tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, pos, heads * dHead]);
    const y = tf.reshape(norm(spec, weights, module, all), [batch, pos, heads, dHead]);
    return tf.transpose(y, [0, 2, 1, 3]);
  }
}

/** From so many positions on, leaving out what is masked saves more than the cutting costs. */
const LONG = 128;

/** Whether scores are q k^T alone, scaled: what the quicker ways to attend know. */
export function plainScores(spec: TransformerSpec): boolean {
  return spec.attentionCap === null && spec.positions.kind !== 'alibi' && !spec.modules.layer.sinks;
}

/** Each head's score of its sink, `[1, kvHead, group * qPos, 1]`; null where heads have none. */
export function sinkScores(
  spec: TransformerSpec,
  weights: WeightLookup,
  layer: number,
  queries: number,
): tf.Tensor | null {
  const { heads, kvHeads } = spec;
  const { sinks } = spec.modules.layer;
  if (!sinks) return null;
  const byHead = tf.reshape(weights(layerModule(spec, layer, sinks)), [heads, 1]);
  return tf.reshape(tf.tile(byHead, [1, queries]), [1, kvHeads, (heads / kvHeads) * queries, 1]);
}

/** Attention of one layer, given its keys and values: z `[batch, head, pos, dHead]`. */
function attend(
  reading: Reading,
  layer: number,
  query: tf.Tensor,
  memory: Memory,
): Record<'pattern' | 'z', Lazy<tf.Tensor>> {
  const { spec, weights, batch, pos, positions } = reading;
  const { heads, kvHeads, dHead } = spec;
  const { k, v } = memory;
  const window = spec.windows[layer]!;
  const scale = attentionScale(spec, layer);
  const whole = once(() => {
    // The heads that share a key-value head are more queries to it: [batch, kvHead, group * pos, dHead].
    const q = tf.reshape(query, [batch, kvHeads, (heads / kvHeads) * pos, dHead]);
    return softmaxAttention(q, k, v, positions.mask(window), {
      scale,
      cap: spec.attentionCap,
      sink: sinkScores(spec, weights, layer, pos),
    });
  });
  const long = pos >= LONG && heads === kvHeads && plainScores(spec) && positions.causal(window);
  return {
    pattern: memory.pattern ?? once(() => tf.reshape(whole().pattern, [batch, heads, pos, k.shape[2]!])),
    z:
      memory.z ??
      once(() =>
        long
          ? causalAttention(query as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, scale)
          : tf.reshape(whole().z, [batch, heads, pos, dHead]),
      ),
  };
}
