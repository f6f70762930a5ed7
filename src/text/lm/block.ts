/**
 * @file One layer of a transformer, on demand: attention and MLP add to the stream.
 *
 * Axes: batch, pos, dModel, head, dHead, neuron. Inside, the stream is `[rows, dModel]`, rows = batch * pos, so that every
 * weight meets it in one 2-D product.
 */
import { once } from '../../core/once.js';
import * as tf from '../../engine/functions/tfjs.js';
import { attention } from './attention.js';
import { expertsMlp } from './experts.js';
import { mlp } from './mlp.js';
import { bareNorm, norm, normScale } from './norm.js';
import { layerModule } from './parameters.js';
import type { LayerPlace } from './places.js';
import type { Lazy, Memory, Reading } from './reading.js';
import { expertsOf } from './spec.js';

export interface Block {
  /** Those that the layer has. */
  readonly places: Readonly<Partial<Record<LayerPlace, Lazy<tf.Tensor>>>>;
  /** What the down projection of one expert reads, where the layer has experts. */
  readonly expert?: (expert: number) => tf.Tensor;
  readonly keysAndValues: Lazy<Memory>;
  /** The stream after the layer, `[rows, dModel]`. */
  readonly output: Lazy<tf.Tensor>;
}

/** @param x - the stream before it, `[rows, dModel]`. Nothing is computed yet. */
export function block(reading: Reading, layer: number, x: Lazy<tf.Tensor>): Block {
  const { spec, weights, batch, pos } = reading;
  const names = spec.modules.layer;
  const normed = (name: string | undefined, x: Lazy<tf.Tensor>) =>
    once(() => (name ? norm(spec, weights, layerModule(spec, layer, name), x()) : x()));
  const scaled = (x: Lazy<tf.Tensor>) =>
    spec.residualScale === 1 ? x : once(() => tf.mul(x(), spec.residualScale));
  /** The sum of a stream, or of what its norm made of it, and what is written to it. */
  const add = (
    x: Lazy<tf.Tensor>,
    normedX: Lazy<tf.Tensor>,
    y: Lazy<tf.Tensor>,
    sumNorm: string | undefined,
  ) =>
    normed(
      sumNorm,
      once(() => tf.add(spec.sumOntoNormed ? normedX() : x(), y())),
    );

  // x = x + attention(norm(x)), x = x + mlp(norm(x))
  const attentionInput = normed(names.attentionNorm, x);
  const heads = attention(reading, layer, attentionInput);
  const attentionOut = scaled(normed(names.attentionPostNorm, heads.output));
  const middle = add(x, attentionInput, attentionOut, names.attentionSumNorm);
  const shared = spec.parallelResidual && names.mlpNorm === names.attentionNorm;
  const mlpInput = shared ? attentionInput : normed(names.mlpNorm, spec.parallelResidual ? x : middle);
  const mlpNormalized = once(() => bareNorm(spec, spec.parallelResidual ? x() : middle()));
  const expertsSpec = expertsOf(spec, layer);
  const experts = expertsSpec && expertsMlp(reading, expertsSpec, layer, mlpInput);
  const neurons = experts ?? mlp(reading, layer, mlpInput);
  const mlpOut = scaled(normed(names.mlpPostNorm, neurons.output));
  const output = add(middle, mlpInput, mlpOut, names.mlpSumNorm);

  const sequence = (x: Lazy<tf.Tensor>) => once(() => tf.reshape(x(), [batch, pos, -1]));
  return {
    places: {
      hook_resid_pre: sequence(x),
      hook_resid_mid: sequence(middle),
      hook_resid_post: sequence(output),
      'attn.hook_pattern': heads.pattern,
      'attn.hook_z': heads.mix,
      'attn.hook_result': heads.result,
      'attn.residual_delta': once(() => {
        const module = layerModule(spec, layer, names.attentionPostNorm!);
        const scale = tf.mul(normScale(spec, heads.output()), spec.residualScale);
        const passed = tf.mul(heads.result(), tf.reshape(scale, [batch, pos, 1, 1]));
        return tf.mul(passed, weights(`${module}.weight`));
      }),
      'attn.post_scale': sequence(() => normScale(spec, heads.output())),
      hook_attn_out: sequence(attentionOut),
      hook_mlp_out: sequence(mlpOut),
      'ln2.hook_normalized': sequence(mlpNormalized),
      'mlp.hook_in': sequence(mlpInput),
      ...neurons.places,
      'mlp.post_scale': sequence(() => normScale(spec, neurons.output())),
    },
    ...(experts && { expert: experts.post }),
    keysAndValues: heads.keysAndValues,
    output,
  };
}
