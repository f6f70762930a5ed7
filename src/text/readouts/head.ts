/** @file Attention heads: how strong what they write to the stream is, by one of several measures. */
import type { UnitForm } from '../../core/unit-form.js';
import * as tf from '../../engine/functions/tfjs.js';
import { headDeltaWeights } from '../lm/matrices.js';
import type { Edits } from '../lm/reading.js';
import { leadOf, type TransformerSpec } from '../lm/spec.js';
import type { GroupStatistics } from './group-statistics.js';
import { headDeltas, normsIn } from './head-deltas.js';
import { type HeadMeasurement, type MeasureChoice, measurementOf } from './head-measures.js';
import { checkRange, type Kind, layerRange, withMean } from './kind.js';
import type {
  Centre,
  Effect,
  Looks,
  PassContext,
  Readout,
  ReadoutGroup,
  Siblings,
  SourcesRead,
} from './readout.js';

export interface HeadUnit {
  readonly kind: 'head';
  readonly layer: number;
  readonly head: number;
}

const parsed = ([layer, head]: readonly string[]): HeadUnit => ({
  kind: 'head',
  layer: Number(layer),
  head: Number(head),
});

const form: UnitForm<HeadUnit> = {
  example: 'L5.H1 (a head)',
  parse: [
    [/^L(\d{1,9})\.H(\d{1,9})$/, parsed],
    [/^blocks\.(\d{1,9})\.attn\.hook_result\[(\d{1,9})\]$/, parsed],
  ],
  format: ({ layer, head }) => `L${layer}.H${head}`,
};

/** All heads of a layer. */
export class HeadGroup implements ReadoutGroup {
  constructor(
    private readonly spec: TransformerSpec,
    private readonly layer: number,
    private readonly measurement: HeadMeasurement,
  ) {}

  get key(): string {
    return `heads ${this.layer} ${this.measurement.key}`;
  }

  get depth(): number {
    return this.measurement.throughOutput ? this.spec.layers : this.layer + 1;
  }

  get size(): number {
    return this.spec.heads;
  }

  get siblings(): Siblings {
    const { spec, layer, measurement } = this;
    return { layer, inLayer: (other) => new HeadGroup(spec, other, measurement) };
  }

  /** The mean of each head's mix of values, from which the mean of its delta follows. */
  get centre(): Centre | undefined {
    if (!this.measurement.centred) return undefined;
    const { layer } = this;
    const size = this.spec.heads * this.spec.dHead;
    return {
      size,
      read(pass) {
        const mix = pass.at(`blocks.${layer}.attn.hook_z`);
        return tf.reshape(mix, [mix.shape[0]!, mix.shape[1]!, size]);
      },
    };
  }

  get raw(): HeadGroup {
    const { reportedAs } = this.measurement;
    return reportedAs ? new HeadGroup(this.spec, this.layer, reportedAs) : this;
  }

  get effect(): Effect {
    return new HeadEffect(this.spec, this.layer);
  }

  /** |A v W_O| with A = 1: the norms of what positions bring, through the Gram matrix as in `deltaNorms`. */
  looks({ spec, weights, pass }: PassContext): Looks {
    const { layer } = this;
    const pattern = pass.at(`blocks.${layer}.attn.hook_pattern`);
    const values = pass.cache(layer + 1).values[layer]!; // [batch, kvHead, pos, dHead]
    const [batch, kvHeads, pos, dHead] = values.shape as [number, number, number, number];
    const shared = spec.heads / kvHeads;
    const output = headDeltaWeights(spec, weights, layer); // [head, dHead, dModel]
    const gram = tf.matMul(output, output, false, true);
    const each = tf.tile(tf.expandDims(values, 2), [1, 1, shared, 1, 1]); // [batch, kvHead, shared, pos, dHead]
    const rows = tf.reshape(tf.transpose(tf.reshape(each, [batch, spec.heads, pos, dHead]), [1, 0, 2, 3]), [
      spec.heads,
      batch * pos,
      dHead,
    ]);
    const norms = tf.reshape(normsIn(rows as tf.Tensor3D, gram), [spec.heads, batch, pos]);
    return { pattern, brought: tf.transpose(norms, [1, 0, 2]) };
  }

  unit(index: number): Readout {
    return { name: form.format({ kind: 'head', layer: this.layer, head: index }), group: this, index };
  }

  read(context: PassContext, centre?: Float32Array): tf.Tensor {
    return this.measurement.read(context, this.layer, centre);
  }
}

/** What the heads of a layer write, whatever is measured of them. */
class HeadEffect implements Effect {
  readonly usual: ReadoutGroup;

  constructor(
    private readonly spec: TransformerSpec,
    private readonly layer: number,
  ) {
    this.usual = headGroup(spec, layer, 'delta');
  }

  written(context: PassContext, index: number, { centre }: GroupStatistics): tf.Tensor {
    const deltas = headDeltas(context, this.layer, centre); // [head, rows, dModel]
    return tf.slice(deltas, [index, 0, 0], [1, deltas.shape[1]!, this.spec.dModel]);
  }

  writtenByEach(context: PassContext, own: tf.Tensor, { centre }: GroupStatistics): tf.Tensor {
    const deltas = headDeltas(context, this.layer, centre); // [head, rows, dModel]
    const [heads, rows, dModel] = deltas.shape as [number, number, number];
    const [batch] = own.shape as [number];
    const byHead = tf.reshape(deltas, [heads, batch, rows / batch, dModel]);
    const chosen = tf.reshape(tf.transpose(own), [heads, batch, 1, 1]);
    return tf.reshape(tf.sum(tf.mul(byHead, chosen), 0), [1, rows, dModel]);
  }

  ablation(index: number, { centre }: GroupStatistics): Edits {
    const { heads, dHead } = this.spec;
    return {
      [`blocks.${this.layer}.attn.hook_z`]: (mix) => withMean(mix, index, tf.tensor(centre!, [heads, dHead])),
    };
  }

  /** The head's pattern, and |A_k v_k W_O| of each source k. */
  sources({ weights, pass }: PassContext, index: number, from: tf.Tensor2D): SourcesRead {
    const { layer, spec } = this;
    const { dHead, dModel } = spec;
    const positions = from.shape[1];
    const lead = leadOf(spec).length; // keys that stand before position 0
    const patterns = pass.at(`blocks.${layer}.attn.hook_pattern`); // [1, head, qPos, kPos]
    const pattern = tf.reshape(tf.slice(patterns, [0, index, 0, lead], [1, 1, positions, positions]), [
      positions,
      positions,
    ]);
    const attention = tf.reshape(tf.matMul(from, pattern as tf.Tensor2D), [positions]);
    const values = pass.cache(layer + 1).values[layer]!; // [1, kvHead, pos, dHead]
    const shared = Math.floor((index * spec.kvHeads) / spec.heads);
    const value = tf.reshape(tf.slice(values, [0, shared, lead, 0], [1, 1, positions, dHead]), [
      positions,
      dHead,
    ]);
    const all = headDeltaWeights(spec, weights, layer);
    const output = tf.reshape(tf.slice(all, [index, 0, 0], [1, dHead, dModel]), [dHead, dModel]);
    const written = tf.matMul(value as tf.Tensor2D, output as tf.Tensor2D);
    const norms = tf.sqrt(tf.sum(tf.square(tf.reshape(written, [positions, dModel])), 1));
    return { attention, contribution: tf.mul(attention, norms) };
  }
}

export const headGroup = (spec: TransformerSpec, layer: number, measure: MeasureChoice): HeadGroup =>
  new HeadGroup(spec, layer, measurementOf(measure));

const headKind: Kind<HeadUnit> = {
  form,
  range: (spec) => `heads ${layerRange(spec, 'H', spec.heads)}`,
  check(unit, { layers, heads }) {
    checkRange(form.format(unit), 'layers', unit.layer, layers);
    checkRange(form.format(unit), 'heads', unit.head, heads);
  },
  groups: ({ spec, measure }) =>
    Array.from({ length: spec.layers }, (_, layer) => headGroup(spec, layer, measure)),
  open: ({ layer, head }, { spec, measure }) => headGroup(spec, layer, measure).unit(head),
  numbered: ({ layer, head }) => ({ layer, index: head }),
};

/** Kinds that read attention. */
export const headKinds = { head: headKind };
