/** @file MLP neurons: their activation, or what the activation function reads (the gate's, in gated MLPs). */
import { UsageError } from '../../core/errors.js';
import type { UnitForm } from '../../core/unit-form.js';
import * as tf from '../../engine/functions/tfjs.js';
import { neuronOutputWeights } from '../lm/matrices.js';
import type { Edits } from '../lm/reading.js';
import { expertsOf, type TransformerSpec } from '../lm/spec.js';
import type { GroupStatistics } from './group-statistics.js';
import { behindMlpNorm, checkRange, type Kind, layerRange, withMean } from './kind.js';
import type { Effect, PassContext, Readout, ReadoutGroup, Siblings } from './readout.js';

export interface NeuronUnit {
  readonly kind: 'neuron';
  readonly layer: number;
  readonly neuron: number;
  /** `post`: what the down projection reads; `pre`: what the activation function reads. */
  readonly side: 'pre' | 'post';
}

type Side = NeuronUnit['side'];

const parsed =
  (side: Side) =>
  ([layer, neuron]: readonly string[]): NeuronUnit => ({
    kind: 'neuron',
    layer: Number(layer),
    neuron: Number(neuron),
    side,
  });

const form: UnitForm<NeuronUnit> = {
  example: 'L3.N1000 or L3.N1000:pre (a neuron)',
  parse: [
    [/^L(\d{1,9})\.N(\d{1,9})$/, parsed('post')],
    [/^blocks\.(\d{1,9})\.mlp\.hook_post\[(\d{1,9})\]$/, parsed('post')],
    [/^L(\d{1,9})\.N(\d{1,9}):pre$/, parsed('pre')],
    [/^blocks\.(\d{1,9})\.mlp\.hook_pre\[(\d{1,9})\]$/, parsed('pre')],
  ],
  format: ({ layer, neuron, side }) => `L${layer}.N${neuron}${side === 'pre' ? ':pre' : ''}`,
};

/** All neurons of a layer, on one side of their activation function. */
export class NeuronGroup implements ReadoutGroup {
  constructor(
    private readonly spec: TransformerSpec,
    private readonly layer: number,
    private readonly side: Side,
  ) {}

  get key(): string {
    return `neurons ${this.layer} ${this.side}`;
  }

  get depth(): number {
    return this.layer + 1;
  }

  get size(): number {
    return this.spec.dMlp;
  }

  get siblings(): Siblings {
    const { spec, layer, side } = this;
    return {
      layer,
      inLayer: (other) => (expertsOf(spec, other) ? null : new NeuronGroup(spec, other, side)),
    };
  }

  get effect(): Effect {
    return new NeuronEffect(this.spec, this.layer);
  }

  unit(index: number): Readout {
    const { layer, side } = this;
    return { name: form.format({ kind: 'neuron', layer, neuron: index, side }), group: this, index };
  }

  read({ pass }: PassContext): tf.Tensor {
    return pass.at(`blocks.${this.layer}.mlp.hook_${this.side}`);
  }
}

/** What the neurons of a layer write: their activation times their row of the down projection. */
class NeuronEffect implements Effect {
  readonly usual: ReadoutGroup;

  constructor(
    private readonly spec: TransformerSpec,
    private readonly layer: number,
  ) {
    this.usual = new NeuronGroup(spec, layer, 'post');
  }

  written(context: PassContext, index: number): tf.Tensor {
    const { layer, spec } = this;
    const { weights, pass } = context;
    const post = pass.at(`blocks.${layer}.mlp.hook_post`); // [1, pos, neuron]
    const activation = tf.slice(post, [0, 0, index], [1, post.shape[1]!, 1]);
    const row = tf.slice(neuronOutputWeights(spec, weights, layer), [index, 0], [1, spec.dModel]);
    return behindMlpNorm(context, layer, tf.mul(activation, tf.reshape(row, [1, 1, spec.dModel])));
  }

  writtenByEach(context: PassContext, own: tf.Tensor): tf.Tensor {
    const { layer, spec } = this;
    const { weights, pass } = context;
    const post = pass.at(`blocks.${layer}.mlp.hook_post`); // [batch, pos, neuron]
    const chosen = tf.mul(post, tf.expandDims(own, 1));
    const rows = tf.reshape(chosen, [-1, spec.dMlp]) as tf.Tensor2D;
    const written = tf.matMul(rows, neuronOutputWeights(spec, weights, layer) as tf.Tensor2D);
    return behindMlpNorm(context, layer, tf.expandDims(written, 0));
  }

  ablation(index: number, { mean }: GroupStatistics): Edits {
    return { [`blocks.${this.layer}.mlp.hook_post`]: (post) => withMean(post, index, tf.tensor1d(mean)) };
  }
}

const layersWithNeurons = (spec: TransformerSpec): number[] =>
  Array.from({ length: spec.layers }, (_, layer) => layer).filter((layer) => !expertsOf(spec, layer));

const neuronKind: Kind<NeuronUnit> = {
  form,
  range: (spec) =>
    spec.experts?.layers.every(Boolean) ? null : `neurons ${layerRange(spec, 'N', spec.dMlp)} (or N0:pre)`,
  check(unit, spec) {
    checkRange(form.format(unit), 'layers', unit.layer, spec.layers);
    const experts = expertsOf(spec, unit.layer);
    if (experts)
      throw new UsageError(
        `${form.format(unit)} is outside this model: the neurons of layer ${unit.layer} are those of experts, ` +
          `L${unit.layer}.E0.N0 to L${unit.layer}.E${experts.count - 1}.N${experts.neurons - 1}`,
      );
    checkRange(form.format(unit), 'neurons', unit.neuron, spec.dMlp);
  },
  groups: ({ spec }) =>
    layersWithNeurons(spec).flatMap((layer) => [
      new NeuronGroup(spec, layer, 'post'),
      new NeuronGroup(spec, layer, 'pre'),
    ]),
  open: ({ layer, neuron, side }, { spec }) => new NeuronGroup(spec, layer, side).unit(neuron),
  others: (spec) =>
    layersWithNeurons(spec)
      .slice(0, 1)
      .map((layer) => `L${layer}.N0:pre`),
  numbered: ({ layer, neuron }) => ({ layer, index: neuron }),
};

/** Kinds that read MLPs. */
export const neuronKinds = { neuron: neuronKind };
