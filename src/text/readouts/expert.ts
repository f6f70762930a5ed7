/** @file Experts of a layer: what the router says of them, and their neurons on the tokens that are routed to them. */
import { UsageError } from '../../core/errors.js';
import type { UnitForm } from '../../core/unit-form.js';
import * as tf from '../../engine/functions/tfjs.js';
import { type ExpertsSpec, expertsOf, type TransformerSpec } from '../lm/spec.js';
import { ExpertEffect, ExpertNeuronEffect, weightedNeurons } from './expert-effect.js';
import { checkRange, type Kind } from './kind.js';
import type { PassContext, Readout, ReadoutGroup, Siblings } from './readout.js';

export interface ExpertUnit {
  readonly kind: 'expert';
  readonly layer: number;
  readonly expert: number;
  /** `logit`: what the router says; `weight`: by what the expert's output is multiplied. */
  readonly side: 'logit' | 'weight';
}

export interface ExpertNeuronUnit {
  readonly kind: 'expertNeuron';
  readonly layer: number;
  readonly expert: number;
  readonly neuron: number;
}

type Side = ExpertUnit['side'];

const parsed =
  (side: Side) =>
  ([layer, expert]: readonly string[]): ExpertUnit => ({
    kind: 'expert',
    layer: Number(layer),
    expert: Number(expert),
    side,
  });

const expertForm: UnitForm<ExpertUnit> = {
  example: 'L4.E3 or L4.E3:weight (an expert)',
  parse: [
    [/^L(\d{1,9})\.E(\d{1,9})$/, parsed('logit')],
    [/^L(\d{1,9})\.E(\d{1,9}):weight$/, parsed('weight')],
  ],
  format: ({ layer, expert, side }) => `L${layer}.E${expert}${side === 'weight' ? ':weight' : ''}`,
};

const neuronForm: UnitForm<ExpertNeuronUnit> = {
  example: 'L4.E3.N10 (a neuron of an expert)',
  parse: [
    [
      /^L(\d{1,9})\.E(\d{1,9})\.N(\d{1,9})$/,
      ([layer, expert, neuron]) => ({
        kind: 'expertNeuron',
        layer: Number(layer),
        expert: Number(expert),
        neuron: Number(neuron),
      }),
    ],
  ],
  format: ({ layer, expert, neuron }) => `L${layer}.E${expert}.N${neuron}`,
};

/** All experts of a layer: the router's logit of each, or its weight, 0 where it is not chosen. */
export class ExpertGroup implements ReadoutGroup {
  readonly size: number;

  constructor(
    private readonly spec: TransformerSpec,
    private readonly layer: number,
    private readonly side: Side,
  ) {
    this.size = expertsOf(spec, layer)!.count;
  }

  get key(): string {
    return `experts ${this.layer} ${this.side}`;
  }

  get depth(): number {
    return this.layer + 1;
  }

  get siblings(): Siblings {
    const { spec, layer, side } = this;
    return {
      layer,
      inLayer: (other) => (expertsOf(spec, other) ? new ExpertGroup(spec, other, side) : null),
    };
  }

  unit(index: number): Readout {
    const { layer, side } = this;
    return { name: expertForm.format({ kind: 'expert', layer, expert: index, side }), group: this, index };
  }

  /** The logit's too: an expert does what it does by its weight. */
  get effect(): ExpertEffect {
    return new ExpertEffect(new ExpertGroup(this.spec, this.layer, 'weight'), this.layer);
  }

  read({ pass }: PassContext): tf.Tensor {
    const { layer, size } = this;
    if (this.side === 'weight') return pass.at(`blocks.${layer}.mlp.hook_shares`);
    const [batch, pos] = pass.at(`blocks.${layer}.hook_resid_pre`).shape as [number, number];
    return tf.reshape(pass.at(`blocks.${layer}.mlp.router.0`), [batch, pos, size]);
  }
}

/** All neurons of an expert: what its down projection reads, 0 at tokens that it is not chosen for. */
export class ExpertNeuronGroup implements ReadoutGroup {
  readonly size: number;

  constructor(
    private readonly spec: TransformerSpec,
    protected readonly layer: number,
    protected readonly expert: number,
  ) {
    this.size = expertsOf(spec, layer)!.neurons;
  }

  get key(): string {
    return `expert neurons ${this.layer} ${this.expert}`;
  }

  get depth(): number {
    return this.layer + 1;
  }

  get siblings(): Siblings {
    const { spec, layer, expert } = this;
    return {
      layer,
      inLayer: (other) => (expertsOf(spec, other) ? new ExpertNeuronGroup(spec, other, expert) : null),
    };
  }

  unit(index: number): Readout {
    const { layer, expert } = this;
    return {
      name: neuronForm.format({ kind: 'expertNeuron', layer, expert, neuron: index }),
      group: this,
      index,
    };
  }

  get effect(): ExpertNeuronEffect {
    const { layer, expert } = this;
    return new ExpertNeuronEffect(new WeightedNeuronGroup(this.spec, layer, expert), layer, expert);
  }

  read({ pass }: PassContext): tf.Tensor {
    return pass.at(`blocks.${this.layer}.mlp.experts.${this.expert}.hook_post`);
  }
}

/** The same neurons times their expert's weight: what their rows of the down projection are multiplied by. */
class WeightedNeuronGroup extends ExpertNeuronGroup {
  override get key(): string {
    return `weighted ${super.key}`;
  }

  override read(context: PassContext): tf.Tensor {
    return weightedNeurons(context, this.layer, this.expert);
  }
}

/** The layer's experts. Throws UsageError where the model has no such layer, or the layer no experts. */
function checkedExperts(
  name: string,
  { layer, expert }: ExpertUnit | ExpertNeuronUnit,
  spec: TransformerSpec,
): ExpertsSpec {
  if (!spec.experts) throw new UsageError(`${name} is outside this model, which has no experts`);
  checkRange(name, 'layers', layer, spec.layers);
  const experts = expertsOf(spec, layer);
  if (!experts)
    throw new UsageError(`${name} is outside this model: layer ${layer} has neurons, not experts`);
  checkRange(name, 'experts', expert, experts.count);
  return experts;
}

/** The first and the last layer with experts, as `L0.E0 to L4.E7`; null where there are none. */
function range({ experts }: TransformerSpec, ending: (last: boolean) => string): string | null {
  if (!experts) return null;
  const [first, last] = [experts.layers.indexOf(true), experts.layers.lastIndexOf(true)];
  return first < 0 ? null : `L${first}.E0${ending(false)} to L${last}.E${experts.count - 1}${ending(true)}`;
}

const layersWithExperts = (spec: TransformerSpec): number[] =>
  Array.from({ length: spec.layers }, (_, layer) => layer).filter((layer) => expertsOf(spec, layer));

const expertKind: Kind<ExpertUnit> = {
  form: expertForm,
  range(spec) {
    const own = range(spec, () => '');
    return own && `experts ${own} (or E0:weight)`;
  },
  check(unit, spec) {
    checkedExperts(expertForm.format(unit), unit, spec);
  },
  groups: ({ spec }) =>
    layersWithExperts(spec).flatMap((layer) => [
      new ExpertGroup(spec, layer, 'logit'),
      new ExpertGroup(spec, layer, 'weight'),
    ]),
  others: (spec) =>
    layersWithExperts(spec)
      .slice(0, 1)
      .flatMap((layer) => [`L${layer}.E0`, `L${layer}.E0:weight`]),
  open: ({ layer, expert, side }, { spec }) => new ExpertGroup(spec, layer, side).unit(expert),
};

const expertNeuronKind: Kind<ExpertNeuronUnit> = {
  form: neuronForm,
  range(spec) {
    const own = range(spec, (last) => `.N${last ? spec.experts!.neurons - 1 : 0}`);
    return own && `neurons of experts ${own}`;
  },
  check(unit, spec) {
    const name = neuronForm.format(unit);
    checkRange(name, 'neurons', unit.neuron, checkedExperts(name, unit, spec).neurons);
  },
  groups: ({ spec }) =>
    layersWithExperts(spec).flatMap((layer) =>
      Array.from({ length: spec.experts!.count }, (_, expert) => new ExpertNeuronGroup(spec, layer, expert)),
    ),
  open: ({ layer, expert, neuron }, { spec }) => new ExpertNeuronGroup(spec, layer, expert).unit(neuron),
};

/** Kinds that read MLPs of experts. */
export const expertKinds = { expert: expertKind, expertNeuron: expertNeuronKind };
