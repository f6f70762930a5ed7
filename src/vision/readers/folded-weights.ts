/** @file Weights that a file computes from other weights: worked out when a layer reads them. */
import type { WeightSource } from '../../engine/weights/weights.js';
import type { Shape } from '../layers/op.js';
import { type Param, param } from '../layers/params.js';
import { checkArray } from '../limits.js';
import type { Numbers } from './arrays.js';

interface Folded {
  readonly shape: Shape;
  compute(): Numbers;
  /** Several weights may be made of one: each is computed once in one turn of the event loop. */
  last?: WeakRef<Float32Array>;
}

/** The arrays of a file, and those made of them. */
export class FoldedWeights implements WeightSource {
  private readonly folded = new Map<string, Folded>();

  constructor(private readonly stored: WeightSource) {}

  get names(): readonly string[] {
    return [...this.stored.names, ...this.folded.keys()];
  }

  shape(name: string): Shape {
    return this.folded.get(name)?.shape ?? this.stored.shape(name);
  }

  read(name: string): Float32Array {
    const folded = this.folded.get(name);
    if (!folded) return this.stored.read(name);
    const known = folded.last?.deref();
    if (known) return known;
    const values = Float32Array.from(folded.compute());
    folded.last = new WeakRef(values);
    return values;
  }

  /** Throws UserError for more entries than are supported. */
  fold(shape: Shape, compute: () => Numbers): Param {
    checkArray(shape);
    const name = `folded ${this.folded.size}`;
    this.folded.set(name, { shape, compute });
    return param(this, name);
  }
}
