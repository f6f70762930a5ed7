/**
 * @file What flows along the edges of a foreign graph (ONNX, TensorFlow): activations, weights, and the numbers that
 * shapes are computed with, which are worked out while reading.
 */

import { UserError } from '../../core/errors.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import type { GraphBuilder } from '../layers/graph.js';
import { type ActivationName, type BinaryOp, channelCount, type Shape } from '../layers/op.js';
import { checkPermutation, type Param, reshaped, transposed } from '../layers/params.js';
import { checkCount, limits, shown } from '../limits.js';

/** An activation. `swapped`: held as [batch, height, width, channel] where the file means [batch, channel, height, width]. */
export interface NodeValue {
  readonly kind: 'node';
  readonly node: number;
  readonly swapped: boolean;
}

/** An array of floats in the model's files. */
export interface WeightValue {
  readonly kind: 'weight';
  readonly param: Param;
}

/** A few numbers known while reading. */
export interface NumbersValue {
  readonly kind: 'numbers';
  readonly shape: Shape;
  readonly data: readonly number[];
}

export type Value = NodeValue | WeightValue | NumbersValue;

/** Throws UserError for numbers that do not fill the shape, or too many. */
export function numbersValue(data: readonly number[], shape: Shape = [data.length]): NumbersValue {
  checkCount(data.length, limits.numbers, 'numbers in one array that is worked out while reading');
  if (shape.length > limits.axes || sizeOf(shape) !== data.length)
    throw new UserError(`${data.length} numbers do not fill [${shown(shape)}]`);
  return { kind: 'numbers', shape, data };
}

export const weightValue = (param: Param): WeightValue => ({ kind: 'weight', param });

/** More than these are weights, not settings. */
export const mostNumbers = 4096;

const arithmetic: Record<BinaryOp['kind'], (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
};

/** Writes a graph from values; everything that ONNX and TensorFlow graphs have in common. */
export class Importer {
  private readonly transposes = new Map<string, number>();

  constructor(
    readonly graph: GraphBuilder,
    readonly weights: WeightSource,
  ) {}

  plain(node: number): NodeValue {
    return { kind: 'node', node, swapped: false };
  }

  /** The shape that the file means. */
  shape(value: Value): Shape {
    if (value.kind === 'numbers') return value.shape;
    if (value.kind === 'weight') return value.param.shape;
    const held = this.graph.shape(value.node);
    return value.swapped ? [held[0]!, held[3]!, held[1]!, held[2]!] : held;
  }

  /** The entries of a constant. Throws UserError when it is computed from the picture. */
  numbers(value: Value | undefined, what: string): readonly number[] {
    if (value?.kind === 'numbers') return value.data;
    if (value?.kind === 'weight' && sizeOf(value.param.shape) <= mostNumbers) {
      const moved = value.param.steps.some((step) => 'transpose' in step);
      if (!moved) return [...this.weights.read(value.param.name)];
    }
    throw new UserError(`${what} must be known numbers, not computed from the picture`);
  }

  /** A weight. Throws UserError for anything computed. */
  weight(value: Value | undefined, what: string): Param {
    if (value?.kind === 'weight') return value.param;
    throw new UserError(`${what} must be a weight of the file, not computed`);
  }

  /** The value as a node in the layout the file means. */
  asPlain(value: Value): number {
    if (value.kind === 'node') return value.swapped ? this.transpose(value.node, [0, 3, 1, 2]) : value.node;
    return this.graph.add({ kind: 'constant', value: value.kind === 'weight' ? value.param : value });
  }

  /** The value, of rank 4 in the file, as a node [batch, height, width, channel]. */
  asImage(value: Value): number {
    if (value.kind === 'node' && value.swapped) return value.node;
    if (this.shape(value).length !== 4) {
      throw new UserError(`wants an image of four axes, not [${this.shape(value)}]`);
    }
    return this.transpose(this.asPlain(value), [0, 2, 3, 1]);
  }

  /** Transposes, composed with a transpose before; two that undo each other vanish. */
  transpose(node: number, perm: readonly number[]): number {
    const { op, inputs } = this.graph.op(node);
    if (op.kind === 'transpose') {
      return this.transpose(
        inputs[0]!,
        perm.map((axis) => op.perm[axis]!),
      );
    }
    if (perm.every((axis, i) => axis === i)) return node;
    const key = `${node} ${perm}`;
    const known = this.transposes.get(key) ?? this.graph.add({ kind: 'transpose', perm }, node);
    this.transposes.set(key, known);
    return known;
  }

  /** The same value in another shape. Activations must keep their batch: first, and 1 here. */
  reshape(value: Value, wanted: readonly number[]): Value {
    const shape = this.shape(value);
    const size = sizeOf(shape);
    const known = wanted.reduce((product, dim) => (dim === -1 ? product : product * dim), 1);
    const full = wanted.map((dim) => (dim === -1 ? size / known : dim));
    if (!full.every((dim) => Number.isInteger(dim) && dim >= 0) || sizeOf(full) !== size)
      throw new UserError(`cannot reshape [${shown(shape)}] to [${shown(wanted)}]`);
    if (value.kind === 'numbers') return numbersValue(value.data, full);
    if (value.kind === 'weight') return weightValue(reshaped(value.param, full));
    if (full[0] !== 1) throw new UserError(`moves the batch: [${shape}] to [${shown(full)}]`);
    if (full.length === 2) {
      const order = value.swapped ? 'chw' : 'hwc';
      return this.plain(this.graph.add({ kind: 'flatten', order }, value.node));
    }
    // Where the file leaves one size open, so do we: other picture sizes may pass.
    const open = wanted.indexOf(-1) > 0 ? wanted : full;
    return this.plain(this.graph.add({ kind: 'reshape', shape: open.slice(1) }, this.asPlain(value)));
  }

  transposeValue(value: Value, perm: readonly number[]): Value {
    if (value.kind === 'weight') return weightValue(transposed(value.param, perm));
    if (value.kind === 'numbers' && value.shape.length < 2) return value;
    checkPermutation(perm, this.shape(value));
    if (perm[0] !== 0) throw new UserError(`moves the batch: permutation ${perm}`);
    return this.plain(this.transpose(this.asPlain(value), perm));
  }

  activation(name: ActivationName, x: Value, a?: number, b?: number): Value {
    const held = this.held(x);
    const settings = { ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) };
    return { ...held, node: this.graph.add({ kind: 'activation', name, ...settings }, held.node) };
  }

  /** Any value as an activation, in whatever layout it is held. */
  held(value: Value): NodeValue {
    return value.kind === 'node' ? value : this.plain(this.asPlain(value));
  }

  /** Two values entry by entry, broadcast. */
  binary(kind: BinaryOp['kind'], a: Value, b: Value): Value {
    if (a.kind === 'numbers' && b.kind === 'numbers') {
      const longer = a.data.length >= b.data.length ? a : b;
      const fits = a.data.length === b.data.length || a.data.length === 1 || b.data.length === 1;
      if (!fits) throw new UserError(`cannot ${kind} ${a.data.length} and ${b.data.length} numbers`);
      const at = (x: NumbersValue, i: number): number => x.data[x.data.length === 1 ? 0 : i]!;
      return numbersValue(
        longer.data.map((_, i) => arithmetic[kind](at(a, i), at(b, i))),
        longer.shape,
      );
    }
    if (a.kind === 'node' && b.kind !== 'node') return this.withConstant(kind, a, b, false);
    if (b.kind === 'node' && a.kind !== 'node') return this.withConstant(kind, b, a, true);
    const swapped = [a, b].some((x) => x.kind === 'node' && x.swapped);
    if (swapped && [a, b].every((x) => this.shape(x).length === 4)) {
      return { kind: 'node', swapped, node: this.graph.add({ kind }, this.asImage(a), this.asImage(b)) };
    }
    return this.plain(this.graph.add({ kind }, this.asPlain(a), this.asPlain(b)));
  }

  /** An activation and a constant, in the layout the activation is held in. `reversed`: the constant comes first. */
  private withConstant(
    kind: BinaryOp['kind'],
    x: NodeValue,
    constant: WeightValue | NumbersValue,
    reversed: boolean,
  ): Value {
    const size = sizeOf(this.shape(constant));
    const add = (op: Parameters<GraphBuilder['add']>[0], ...more: number[]): Value => ({
      ...x,
      node: this.graph.add(op, x.node, ...more),
    });
    if (size === 1 && this.shape(constant).length <= this.shape(x).length) {
      const [c] = this.numbers(constant, 'a factor or term') as [number];
      if (kind === 'add') return this.activation('linear', x, 1, c);
      if (kind === 'subtract')
        return reversed ? this.activation('linear', x, -1, c) : this.activation('linear', x, 1, -c);
      if (kind === 'multiply') return this.activation('linear', x, c, 0);
      if (kind === 'divide' && !reversed) return this.activation('linear', x, 1 / c, 0);
      if (kind === 'maximum') return this.activation('clip', x, c, Number.POSITIVE_INFINITY);
      if (kind === 'minimum') return this.activation('clip', x, Number.NEGATIVE_INFINITY, c);
    }
    const aligned = this.alignedConstant(constant, x);
    if (!aligned) {
      const plain = this.plain(this.asPlain(x));
      const nodes = [plain.node, this.asPlain(constant)];
      return this.plain(this.graph.add({ kind }, ...(reversed ? nodes.reverse() : nodes)));
    }
    const channels = channelCount(this.graph.shape(x.node));
    if (
      aligned.kind === 'weight' &&
      aligned.param.shape.length === 1 &&
      aligned.param.shape[0] === channels
    ) {
      if (kind === 'add') return add({ kind: 'affine', shift: aligned.param });
      if (kind === 'multiply') return add({ kind: 'affine', scale: aligned.param });
      if (kind === 'subtract' && !reversed) return add({ kind: 'affine', mean: aligned.param });
    }
    const node = this.asPlain(aligned);
    return { ...x, node: this.graph.add({ kind }, ...(reversed ? [node, x.node] : [x.node, node])) };
  }

  /** A constant brought to the layout `x` is held in, without leading axes of length 1; null where it has more axes. */
  private alignedConstant(
    constant: WeightValue | NumbersValue,
    x: NodeValue,
  ): WeightValue | NumbersValue | null {
    const shape = this.shape(constant);
    const rank = this.shape(x).length;
    if (shape.length > rank) return null;
    let full = [...new Array<number>(rank - shape.length).fill(1), ...shape];
    if (constant.kind === 'numbers') {
      // Numbers that differ along one axis only lie the same way in every layout.
      if (full.filter((dim) => dim > 1).length > 1 && x.swapped) return null;
      if (x.swapped) full = [full[0]!, full[2]!, full[3]!, full[1]!];
      return numbersValue(constant.data, withoutLeadingOnes(full));
    }
    let param = reshaped(constant.param, full);
    if (x.swapped) param = transposed(param, [0, 2, 3, 1]);
    return weightValue(reshaped(param, withoutLeadingOnes(param.shape)));
  }
}

function withoutLeadingOnes(shape: Shape): number[] {
  const first = shape.findIndex((dim) => dim !== 1);
  return first === -1 ? shape.slice(-1) : shape.slice(first);
}
