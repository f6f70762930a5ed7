/** @file Directions of the residual stream: the dot product of the stream that enters a layer with a vector. */
import { createHash } from 'node:crypto';
import { UsageError, UserError } from '../../core/errors.js';
import type { UnitForm } from '../../core/unit-form.js';
import * as tf from '../../engine/functions/tfjs.js';
import { readFinite } from '../../engine/weights/finite.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { MemoryWeights, type WeightSource } from '../../engine/weights/weights.js';
import { checkRange, type Kind } from './kind.js';
import type { PassContext, Readout, ReadoutGroup } from './readout.js';

export interface DirectionUnit {
  readonly kind: 'direction';
  readonly layer: number;
  /** A safetensors file, and the name of a `[dModel]` array in it. */
  readonly file: string;
  readonly name: string;
}

const form: UnitForm<DirectionUnit> = {
  example: 'L5.D:file.safetensors#name (a direction)',
  parse: [
    [
      // A file's name may hold a "#", an array's may not.
      /^L(\d{1,9})\.D:(.+)#([^#]+)$/s,
      ([layer, file, name]) => ({ kind: 'direction', layer: Number(layer), file: file!, name: name! }),
    ],
  ],
  format: ({ layer, file, name }) => `L${layer}.D:${file}#${name}`,
};

/** A direction is a group of its own. */
export class DirectionGroup implements ReadoutGroup {
  readonly size = 1;
  readonly weights: WeightSource;
  private readonly hash: string;

  /** @param vector - `[dModel]` */
  constructor(
    private readonly name: string,
    private readonly layer: number,
    vector: Float32Array,
  ) {
    // Statistics and weights are kept by the key, and the file may have another array tomorrow.
    this.hash = createHash('sha256').update(vector).digest('hex').slice(0, 16);
    this.weights = new MemoryWeights(new Map([[this.array, { shape: [vector.length], data: vector }]]));
  }

  get key(): string {
    return `direction ${this.layer} ${this.hash}`;
  }

  get depth(): number {
    return this.layer;
  }

  unit(index: number): Readout {
    return { name: this.name, group: this, index };
  }

  read({ weights, pass }: PassContext): tf.Tensor {
    const stream = pass.at(`blocks.${this.layer}.hook_resid_pre`);
    return tf.sum(tf.mul(stream, weights(this.array)), -1, true);
  }

  private get array(): string {
    return `direction ${this.hash}`;
  }
}

const directionKind: Kind<DirectionUnit> = {
  form,
  range: () => 'directions L0.D:file.safetensors#name',
  check: (unit, { layers }) => checkRange(form.format(unit), 'layers', unit.layer, layers),
  groups: () => [],
  open(unit, { spec }) {
    const file = openSafetensors(unit.file);
    const shape = file.shape(unit.name);
    if (shape.length !== 1 || shape[0] !== spec.dModel) {
      throw new UsageError(
        `"${unit.name}" in ${unit.file} has shape [${shape.join(', ')}]; a direction of this model is [${spec.dModel}]`,
      );
    }
    const vector = readFinite(file, unit.name);
    if (vector.every((x) => x === 0))
      throw new UserError(`"${unit.name}" in ${unit.file} is zero everywhere, which is no direction`);
    return new DirectionGroup(form.format(unit), unit.layer, vector).unit(0);
  },
  others: () => ['L0.D:file.safetensors#name'],
  files: ({ file }) => [file],
};

/** Kinds that read the residual stream. */
export const streamKinds = { direction: directionKind };
