/** @file Writing a graph from the values of a foreign one: what ONNX and TensorFlow have in common. */

import { UserError } from '../../core/errors.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import { activationNumbers } from '../layers/activation-numbers.js';
import { type ActivationName, type BinaryOp, channelCount, type Op } from '../layers/op.js';
import { arithmetic, broadcast, combined } from './arrays.js';
import { Layouts } from './layouts.js';
import { spelledActivation } from './spelled-activations.js';
import {
  type ConstantValue,
  type ForeignValue,
  heldAxes,
  type NodeValue,
  withoutLeadingOnes,
} from './values.js';

/** Writes a graph from values, with arithmetic on them. */
export class Importer extends Layouts {
  activation(name: ActivationName, x: ForeignValue, a?: number, b?: number): ForeignValue {
    if (x.kind === 'node') {
      const settings = { ...(a === undefined ? {} : { a }), ...(b === undefined ? {} : { b }) };
      const after = this.after(x, { kind: 'activation', name, ...settings });
      return name === 'linear' ? this.spelled(after) : after;
    }
    const of = activationNumbers[name];
    const whole =
      name === 'linear' || name === 'clip' || name === 'abs' || name === 'sign' || name === 'truncate';
    return this.fold(this.shape(x), whole && this.isInteger(x), [x], () =>
      Float64Array.from(this.entries(x), (value) => of(value, a, b)),
    );
  }

  /** An operation that keeps the layout. */
  after(x: NodeValue, op: Op, ...more: number[]): NodeValue {
    return { ...x, node: this.graph.add(op, x.node, ...more) };
  }

  /** Two values entry by entry, broadcast. */
  binary(kind: BinaryOp['kind'], a: ForeignValue, b: ForeignValue): ForeignValue {
    if (a.kind !== 'node' && b.kind !== 'node') {
      const shape = broadcast(kind, this.shape(a), this.shape(b));
      const integer = this.isInteger(a) && this.isInteger(b);
      const of = arithmetic[kind];
      const rounded = integer && kind === 'divide' ? (x: number, y: number) => Math.trunc(of(x, y)) : of;
      return this.fold(shape, integer, [a, b], () =>
        combined(shape, [this.entries(a), this.shape(a)], [this.entries(b), this.shape(b)], rounded),
      );
    }
    if (a.kind === 'node' && b.kind !== 'node') return this.withConstant(kind, a, b, false);
    if (b.kind === 'node' && a.kind !== 'node') return this.withConstant(kind, b, a, true);
    const [x, y] = [a as NodeValue, b as NodeValue];
    if (x.order.length !== y.order.length || x.order.indexOf(0) !== y.order.indexOf(0))
      throw new UserError(
        `cannot ${kind} [${this.shape(x)}] and [${this.shape(y)}]: one of them lacks the batch`,
      );
    // The smaller one is brought to the layout of the larger.
    const larger = sizeOf(this.shape(y)) > sizeOf(this.shape(x)) ? y : x;
    const axes = heldAxes(larger);
    const node = this.graph.add({ kind }, this.arranged(x, axes), this.arranged(y, axes));
    const [xShape, yShape] = [this.shape(x), this.shape(y)];
    const roles = x.roles.map((role, axis) =>
      xShape[axis] === 1 && yShape[axis]! > 1 ? y.roles[axis]! : role,
    );
    return this.spelled({ ...larger, node, roles });
  }

  /** The value, which may be the last of the nodes that an activation function is spelled with. */
  private spelled(value: NodeValue): NodeValue {
    return { ...value, node: spelledActivation(this.graph, value.node) };
  }

  /** An activation and a constant, in the layout the activation is held in. `reversed`: the constant comes first. */
  private withConstant(
    kind: BinaryOp['kind'],
    x: NodeValue,
    constant: ConstantValue,
    reversed: boolean,
  ): ForeignValue {
    const size = sizeOf(this.shape(constant));
    if (size === 1 && this.shape(constant).length <= x.order.length) {
      const [c] = this.numbers(constant, 'a factor or term') as [number];
      if (kind === 'add') return this.activation('linear', x, 1, c);
      if (kind === 'subtract')
        return reversed ? this.activation('linear', x, -1, c) : this.activation('linear', x, 1, -c);
      if (kind === 'multiply') return this.activation('linear', x, c, 0);
      if (kind === 'divide' && !reversed) return this.activation('linear', x, 1 / c, 0);
      if (kind === 'maximum') return this.activation('clip', x, c, Number.POSITIVE_INFINITY);
      if (kind === 'minimum') return this.activation('clip', x, Number.NEGATIVE_INFINITY, c);
    }
    const aligned = this.aligned(constant, x);
    const shape = withoutLeadingOnes(this.shape(aligned));
    const least = this.reshape(aligned, shape) as ConstantValue;
    const channels = channelCount(this.graph.shape(x.node));
    if (least.kind === 'weight' && shape.length === 1 && shape[0] === channels) {
      if (kind === 'add') return this.after(x, { kind: 'affine', shift: least.param });
      if (kind === 'multiply') return this.after(x, { kind: 'affine', scale: least.param });
      if (kind === 'subtract' && !reversed) return this.after(x, { kind: 'affine', mean: least.param });
    }
    const node = this.asPlain(least);
    return { ...x, node: this.graph.add({ kind }, ...(reversed ? [node, x.node] : [x.node, node])) };
  }

  /** A constant with as many axes as an activation has, in the layout that is held in. */
  aligned(constant: ConstantValue, x: NodeValue): ConstantValue {
    const shape = withoutLeadingOnes(this.shape(constant));
    const missing = x.order.length - shape.length;
    if (missing < 0) throw new UserError(`joins [${this.shape(x)}] and a constant of [${shape}]`);
    const full = [...new Array<number>(missing).fill(1), ...shape];
    if (full[x.order.indexOf(0)] !== 1) throw new UserError(`has a constant for each picture: [${full}]`);
    return this.transposeValue(this.reshape(constant, full), heldAxes(x)) as ConstantValue;
  }
}
