/**
 * @file How strongly units fire: the measures of DESIGN section 3 as tensor functions.
 *
 * Units are measured in groups (all heads of a layer, all neurons of a layer), because one product serves them all.
 */
import * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { headOutputWeights } from '../lm/matrices.js';
import type { TransformerSpec } from '../lm/spec.js';
import type { Pass } from '../lm/transformer.js';
import { logitDirections, throughFinalNorm, unembedToken } from '../lm/unembed.js';
import type { HeadMeasure, SequenceScore } from '../names.js';

/**
 * What is measured of a head.
 *
 * - `delta`: L2 norm of the residual delta o_h, centred on its mean over calibration tokens
 * - `raw`: L2 norm of o_h itself
 * - `attention`: the largest entry of the pattern beyond the sink at position 0
 * - `logits`: L2 norm of what the centred o_h writes to the logits, through the final norm with its scale frozen,
 *   mean-subtracted over the vocabulary
 */

/** Units that are measured together. */
export type UnitGroup =
  | { readonly kind: 'heads'; readonly layer: number; readonly measure: HeadMeasure }
  /** `token`: the net logit change toward one token, signed. */
  | { readonly kind: 'headsToward'; readonly layer: number; readonly token: number }
  /** `pre`: before the activation function (the gate's in gated MLPs). */
  | { readonly kind: 'neurons'; readonly layer: number; readonly pre: boolean }
  /** Dot product of the stream that enters a layer with a vector `[dModel]`. */
  | {
      readonly kind: 'direction';
      readonly layer: number;
      /** Equal for equal vectors. */
      readonly name: string;
      readonly vector: Float32Array;
    }
  /** The next-token logit of one token. */
  | { readonly kind: 'logit'; readonly token: number };

/** How many layers a group's measure needs. */
export function layersOf(group: UnitGroup, { layers }: TransformerSpec): number {
  switch (group.kind) {
    case 'heads':
      return group.measure === 'logits' ? layers : group.layer + 1;
    case 'neurons':
      return group.layer + 1;
    case 'direction':
      return group.layer;
    // They go through the final norm.
    case 'headsToward':
    case 'logit':
      return layers;
    default:
      return group satisfies never;
  }
}

/** A name for a group: equal for groups that measure the same. */
export function groupKey(group: UnitGroup): string {
  switch (group.kind) {
    case 'heads':
      return `heads ${group.layer} ${group.measure}`;
    case 'headsToward':
      return `heads ${group.layer} toward ${group.token}`;
    case 'neurons':
      return `neurons ${group.layer} ${group.pre ? 'pre' : 'post'}`;
    case 'direction':
      return `direction ${group.layer} ${group.name}`;
    case 'logit':
      return `logit ${group.token}`;
    default:
      return group satisfies never;
  }
}

/**
 * What is reported as a unit's raw value: of a head's residual delta always the plain norm, which needs no
 * calibration to be understood.
 */
export function rawGroup(group: UnitGroup): UnitGroup {
  return group.kind === 'heads' && group.measure === 'delta' ? { ...group, measure: 'raw' } : group;
}

/** How many units a group has. */
export function groupSize(group: UnitGroup, spec: TransformerSpec): number {
  if (group.kind === 'heads' || group.kind === 'headsToward') return spec.heads;
  return group.kind === 'neurons' ? spec.dMlp : 1;
}

/** True for groups whose heads are centred on their mean output. */
export function needsCentre(group: UnitGroup): boolean {
  return (
    group.kind === 'headsToward' ||
    (group.kind === 'heads' && (group.measure === 'delta' || group.measure === 'logits'))
  );
}

/**
 * The raw measure of each unit of a group at every position.
 *
 * @param centre - mean of each head's z over calibration tokens, `[head * dHead]`, for groups that need it
 * @returns `[batch, pos, unit]`
 */
export function measure(
  spec: TransformerSpec,
  weights: WeightLookup,
  run: Pass,
  group: UnitGroup,
  centre?: Float32Array,
): tf.Tensor {
  switch (group.kind) {
    case 'heads':
      if (group.measure === 'attention') return attentionBeyondSink(run, group.layer);
      if (group.measure === 'logits') return logitNorms(spec, weights, run, group.layer, centre!);
      return deltaNorms(spec, weights, run, group.layer, group.measure === 'delta' ? centre : undefined);
    case 'headsToward':
      return logitChange(spec, weights, run, group.layer, centre!, group.token);
    case 'neurons':
      return run.at(`blocks.${group.layer}.mlp.hook_${group.pre ? 'pre' : 'post'}`);
    case 'direction': {
      const stream = run.at(`blocks.${group.layer}.hook_resid_pre`);
      return tf.sum(tf.mul(stream, tf.tensor1d(group.vector)), -1, true);
    }
    case 'logit':
      return unembedToken(spec, weights, run.at('ln_final.hook_normalized'), group.token);
    default:
      return group satisfies never;
  }
}

/** Each head's mix of values less its mean: `[head, rows, dHead]`. Its delta is this times W_O. */
function centredZ(
  spec: TransformerSpec,
  run: Pass,
  layer: number,
  centre: Float32Array | undefined,
): tf.Tensor3D {
  const z = run.at(`blocks.${layer}.attn.hook_z`); // [batch, pos, head, dHead]
  const centred = centre ? tf.sub(z, tf.tensor(centre, [spec.heads, spec.dHead])) : z;
  const [batch, pos] = z.shape as [number, number];
  return tf.transpose(tf.reshape(centred, [batch * pos, spec.heads, spec.dHead]), [1, 0, 2]);
}

/** `[head, rows]` as `[batch, pos, head]`. */
function byPosition(values: tf.Tensor, batch: number): tf.Tensor {
  const [head, rows] = values.shape as [number, number];
  return tf.reshape(tf.transpose(values), [batch, rows / batch, head]);
}

/** |x| of rows given as x and x M, M a Gram matrix: sqrt(x M x^T). */
function normsIn(x: tf.Tensor3D, gram: tf.Tensor): tf.Tensor {
  // The floor keeps the root's gradient finite where a head writes nothing.
  return tf.sqrt(tf.maximum(tf.sum(tf.mul(x, tf.matMul(x, gram)), -1), 1e-20));
}

/**
 * Norms of residual deltas, through the Gram matrix W_O W_O^T of dHead x dHead: it depends on weights alone, and
 * the deltas of dModel entries are never written out.
 */
function deltaNorms(
  spec: TransformerSpec,
  weights: WeightLookup,
  run: Pass,
  layer: number,
  centre: Float32Array | undefined,
): tf.Tensor {
  const output = headOutputWeights(spec, weights, layer); // [head, dHead, dModel]
  const z = centredZ(spec, run, layer, centre);
  return byPosition(normsIn(z, tf.matMul(output, output, false, true)), batchOf(run, layer));
}

const batchOf = (run: Pass, layer: number) => run.at(`blocks.${layer}.attn.hook_z`).shape[0]!;

function attentionBeyondSink(run: Pass, layer: number): tf.Tensor {
  const pattern = run.at(`blocks.${layer}.attn.hook_pattern`); // [batch, head, qPos, kPos]
  const [batch, head, queries, keys] = pattern.shape as [number, number, number, number];
  // With one key there is nothing beyond the sink.
  if (keys === 1) return tf.zeros([batch, queries, head]);
  const beyond = tf.max(tf.slice(pattern, [0, 0, 0, 1], [batch, head, queries, keys - 1]), -1);
  return tf.transpose(beyond, [0, 2, 1]);
}

// -- net logit change ------------------------------------------------------------------------------------------

/** `throughFinalNorm` of what is written to a run's stream, `[unit, rows, dModel]`. */
export function writtenBehindNorm(
  spec: TransformerSpec,
  weights: WeightLookup,
  run: Pass,
  written: tf.Tensor,
): tf.Tensor {
  return throughFinalNorm(spec, weights, run.at(`blocks.${spec.layers - 1}.hook_resid_post`), written);
}

/** Each head's centred residual delta, `[head, rows, dModel]`. */
export function centredDeltas(
  spec: TransformerSpec,
  weights: WeightLookup,
  run: Pass,
  layer: number,
  centre: Float32Array,
): tf.Tensor {
  return tf.matMul(centredZ(spec, run, layer, centre), headOutputWeights(spec, weights, layer));
}

function logitNorms(
  spec: TransformerSpec,
  weights: WeightLookup,
  run: Pass,
  layer: number,
  centre: Float32Array,
): tf.Tensor {
  const written = writtenBehindNorm(spec, weights, run, centredDeltas(spec, weights, run, layer, centre));
  const matrix = logitDirections(spec, weights);
  const centred = tf.sub(matrix, tf.mean(matrix, 0, true)) as tf.Tensor2D;
  const gram = tf.matMul(centred, centred, true, false); // [dModel, dModel]
  const flat = tf.reshape(written, [1, -1, spec.dModel]) as tf.Tensor3D;
  const norms = normsIn(flat, tf.expandDims(gram, 0));
  return byPosition(tf.reshape(norms, [spec.heads, -1]), batchOf(run, layer));
}

function logitChange(
  spec: TransformerSpec,
  weights: WeightLookup,
  run: Pass,
  layer: number,
  centre: Float32Array,
  token: number,
): tf.Tensor {
  const written = writtenBehindNorm(spec, weights, run, centredDeltas(spec, weights, run, layer, centre));
  const matrix = logitDirections(spec, weights);
  const row = tf.sub(tf.gather(matrix, tf.tensor1d([token], 'int32')), tf.mean(matrix, 0, true)); // [1, dModel]
  return byPosition(tf.sum(tf.mul(written, row), -1), batchOf(run, layer));
}

// -- scores over a sequence ------------------------------------------------------------------------------------

/**
 * @param values - z at every position, `[batch, pos]` or `[batch, pos, unit]`
 * @returns `[batch]` or `[batch, unit]`
 */
export function scoreSequence(values: tf.Tensor, at: SequenceScore): tf.Tensor {
  const [batch, pos, ...unit] = values.shape as [number, number, ...number[]];
  const rest = unit.map(() => 0);
  if (at === 'last') return tf.squeeze(tf.slice(values, [0, pos - 1, ...rest], [batch, 1, ...unit]), [1]);
  const counted = tf.slice(values, [0, 1, ...rest], [batch, pos - 1, ...unit]);
  return at === 'max' ? tf.max(counted, 1) : tf.mean(counted, 1);
}

/**
 * `scoreSequence` of sequences that are filled up to a common length.
 *
 * @param values - z at every position, `[batch, pos, ...unit]`
 * @param counted - `[pos]`, 1 at the positions that `countedPositions` names, else 0
 * @returns `[batch, ...unit]`
 */
export function scoreCounted(values: tf.Tensor, at: SequenceScore, counted: tf.Tensor): tf.Tensor {
  const mask = tf.reshape(counted, [1, -1, ...values.shape.slice(2).map(() => 1)]);
  if (at === 'max') return tf.max(tf.add(values, tf.mul(tf.sub(mask, 1), 1e9)), 1);
  return tf.div(tf.sum(tf.mul(values, mask), 1), tf.sum(counted));
}

/** The positions of a sequence of `length` tokens that its score is made of, as 1 and 0, `[capacity]`. */
export function countedPositions(at: SequenceScore, length: number, capacity: number): Float32Array {
  const first = at === 'last' ? length - 1 : 1;
  return Float32Array.from({ length: capacity }, (_, i) => (i >= first && i < length ? 1 : 0));
}
