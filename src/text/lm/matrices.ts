/** @file Matrices of a network that are asked for by what they do, in one orientation for all families. */
import * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { layerModule } from './parameters.js';
import type { TransformerSpec } from './spec.js';

/** W_O of a layer by head, `[head, dHead, dModel]`: what a head writes is z W_O. */
export function headOutputWeights(spec: TransformerSpec, weights: WeightLookup, layer: number): tf.Tensor {
  const { layer: names, matrices } = spec.modules;
  const stored = weights(`${layerModule(spec, layer, names.output)}.weight`);
  const inOut = matrices === 'in,out' ? stored : tf.transpose(stored); // [head * dHead, dModel]
  return tf.reshape(inOut, [spec.heads, spec.dHead, spec.dModel]);
}

/** What each neuron of a layer writes to the stream per unit of activation, `[neuron, dModel]`. */
export function neuronOutputWeights(spec: TransformerSpec, weights: WeightLookup, layer: number): tf.Tensor {
  const { layer: names, matrices } = spec.modules;
  const stored = weights(`${layerModule(spec, layer, names.down)}.weight`);
  return matrices === 'in,out' ? stored : tf.transpose(stored);
}
