/** @file The MLP of one layer, on demand. */
import { once } from '../../core/once.js';
import { gelu, geluTanh, silu } from '../../engine/functions/ops.js';
import * as tf from '../../engine/functions/tfjs.js';
import { linear } from './linear.js';
import { layerModule } from './parameters.js';
import type { LayerPlace } from './places.js';
import type { Lazy, Reading } from './reading.js';
import type { Activation } from './spec.js';

export const activationFunctions: Record<Activation, (x: tf.Tensor) => tf.Tensor> = {
  gelu,
  geluTanh,
  silu,
  relu: tf.relu,
};

export interface Mlp {
  readonly places: Partial<Record<LayerPlace, Lazy<tf.Tensor>>>;
  /** `[rows, dModel]` */
  readonly output: Lazy<tf.Tensor>;
}

/** @param x - what it reads, `[rows, dModel]` */
export function mlp(reading: Reading, layer: number, x: Lazy<tf.Tensor>): Mlp {
  const { spec, batch, pos } = reading;
  const names = spec.modules.layer;
  const { dMlp } = spec;
  const map = (name: string, x: tf.Tensor) =>
    linear(reading, layerModule(spec, layer, name), x, spec.biases.mlp);
  const neurons = (x: tf.Tensor) => tf.reshape(x, [batch, pos, dMlp]);

  const gateUp = once(() => tf.split(map(names.gateUp!, x()), 2, 1)); // 2 of [rows, neuron]
  const pre = once(() => (names.gateUp ? gateUp()[0]! : map((names.gate ?? names.up)!, x())));
  const active = once(() => {
    const gate = activationFunctions[spec.activation](pre());
    if (names.gateUp) return tf.mul(gate, gateUp()[1]!);
    return names.gate ? tf.mul(gate, map(names.up!, x())) : gate;
  });
  const post = once(() => {
    const computed = neurons(active());
    return reading.edits[`blocks.${layer}.mlp.hook_post`]?.(computed) ?? computed;
  });
  return {
    places: { 'mlp.hook_pre': once(() => neurons(pre())), 'mlp.hook_post': post },
    output: once(() => map(names.down, tf.reshape(post(), [batch * pos, dMlp]))),
  };
}
