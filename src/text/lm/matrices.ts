/** @file Matrices of a network that are asked for by what they do, in one orientation for all families. */
import * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { layerModule } from './parameters.js';
import { expertsOf, type TransformerSpec } from './spec.js';

/** W_O of a layer by head, `[head, dHead, dModel]`: what a head writes is z W_O. */
export function headOutputWeights(spec: TransformerSpec, weights: WeightLookup, layer: number): tf.Tensor {
  const { layer: names, matrices } = spec.modules;
  const stored = weights(`${layerModule(spec, layer, names.output)}.weight`);
  const inOut = matrices === 'in,out' ? stored : tf.transpose(stored); // [head * dHead, dModel]
  return tf.reshape(inOut, [spec.heads, spec.dHead, spec.dModel]);
}

/**
 * What a head adds to the stream is z times this, `[head, dHead, dModel]`, and times `attn.post_scale` of its position
 * where that passes a norm first: the norm's scale is held fixed, so that the heads' deltas sum to what attention adds.
 */
export function headDeltaWeights(spec: TransformerSpec, weights: WeightLookup, layer: number): tf.Tensor {
  const written = headOutputWeights(spec, weights, layer);
  return throughPostNorm(spec, weights, layer, spec.modules.layer.attentionPostNorm, written);
}

/** Rows `[..., dModel]` times the weights of a norm behind them, and the residual scale. */
function throughPostNorm(
  spec: TransformerSpec,
  weights: WeightLookup,
  layer: number,
  name: string | undefined,
  rows: tf.Tensor,
): tf.Tensor {
  const scaled = spec.residualScale === 1 ? rows : tf.mul(rows, spec.residualScale);
  return name ? tf.mul(scaled, weights(`${layerModule(spec, layer, name)}.weight`)) : scaled;
}

/** What each neuron of a layer adds to the stream per unit of activation, `[neuron, dModel]`; see `headDeltaWeights`. */
export function neuronOutputWeights(spec: TransformerSpec, weights: WeightLookup, layer: number): tf.Tensor {
  const { layer: names, matrices } = spec.modules;
  const stored = weights(`${layerModule(spec, layer, names.down)}.weight`);
  const rows = matrices === 'in,out' ? stored : tf.transpose(stored);
  return throughPostNorm(spec, weights, layer, names.mlpPostNorm, rows);
}

/** The same of an expert's neurons per unit of activation and weight, `[neuron, dModel]`. */
export function expertOutputWeights(
  spec: TransformerSpec,
  weights: WeightLookup,
  layer: number,
  expert: number,
): tf.Tensor {
  const { module, neurons } = expertsOf(spec, layer)!;
  const all = weights(`${layerModule(spec, layer, module)}.down_proj`); // [expert, neuron, dModel]
  const rows = tf.reshape(tf.slice(all, expert, 1), [neurons, spec.dModel]);
  return throughPostNorm(spec, weights, layer, spec.modules.layer.mlpPostNorm, rows);
}

/** What an expert adds per unit of weight whatever it reads, `[dModel]`; null where experts have no biases. */
export function expertOutputBias(
  spec: TransformerSpec,
  weights: WeightLookup,
  layer: number,
  expert: number,
): tf.Tensor | null {
  const { module, biases } = expertsOf(spec, layer)!;
  if (!biases) return null;
  const all = weights(`${layerModule(spec, layer, module)}.down_proj_bias`); // [expert, dModel]
  const row = tf.reshape(tf.slice(all, expert, 1), [spec.dModel]);
  return throughPostNorm(spec, weights, layer, spec.modules.layer.mlpPostNorm, row);
}
