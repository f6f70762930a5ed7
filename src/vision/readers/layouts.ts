/** @file Values of a foreign graph in the layout that an operation wants, and in other shapes. */

import { UserError } from '../../core/errors.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import type { GraphBuilder } from '../layers/graph.js';
import type { Op, Shape } from '../layers/op.js';
import { checkPermutation, type Param, reshapedParam, stepped, transposed } from '../layers/params.js';
import { limits, shown } from '../limits.js';
import { type Numbers, transposedNumbers } from './arrays.js';
import { listedAxes, type Role, reshapedRoles, sizeAlong } from './axes.js';
import type { FoldedWeights } from './folded-weights.js';
import { reshapedBehind, withBatchSecond } from './moved-batch.js';
import { TokenGrids } from './token-grids.js';
import {
  type ConstantValue,
  channelsFirst,
  defaultRoles,
  type ForeignValue,
  identity,
  mostNumbers,
  type NodeValue,
  numbersValue,
  weightValue,
  withoutAxes,
} from './values.js';

/** Writes a graph from values: constants, and activations in the layouts that operations want. */
export class Layouts {
  private readonly transposes = new Map<string, number>();
  private readonly views = new Map<string, number>();
  readonly grids = new TokenGrids();

  constructor(
    readonly graph: GraphBuilder,
    readonly weights: FoldedWeights,
  ) {}

  /** A node whose axes are those of the file. Default roles: an image [batch, height, width, channel], or positions before channels. */
  plain(node: number, roles: readonly Role[] = defaultRoles(this.graph.shape(node).length)): NodeValue {
    return { kind: 'node', node, order: identity(roles.length), roles };
  }

  /** A node [batch, height, width, channel] where the file means [batch, channel, height, width]. */
  image(node: number): NodeValue {
    return { kind: 'node', node, order: channelsFirst, roles: ['b', 'c', 'y', 'x'] };
  }

  /** The shape that the file means. */
  shape(value: ForeignValue): Shape {
    if (value.kind === 'numbers') return value.shape;
    if (value.kind === 'weight') return value.param.shape;
    const held = this.graph.shape(value.node);
    return value.order.map((axis) => held[axis]!);
  }

  // -- constants -----------------------------------------------------------------------------------------------------

  /** The entries of a constant. Throws UserError when it is computed from the picture. */
  numbers(value: ForeignValue | undefined, what: string): readonly number[] {
    if (value?.kind === 'numbers') return value.data;
    if (value?.kind === 'weight' && sizeOf(value.param.shape) <= mostNumbers)
      return Array.from(this.entries(value));
    throw new UserError(`${what} must be known numbers, not computed from the picture`);
  }

  /** A weight. Throws UserError for anything computed from the picture. */
  weight(value: ForeignValue | undefined, what: string): Param {
    if (value?.kind === 'weight') return value.param;
    if (value?.kind === 'numbers') return this.weights.fold(value.shape, () => value.data);
    throw new UserError(`${what} must be a weight of the file, not computed from the picture`);
  }

  /** All entries of a constant, in order. */
  entries(value: ConstantValue): Numbers {
    if (value.kind === 'numbers') return value.data;
    const { name, steps } = value.param;
    return stepped(this.weights.read(name), this.weights.shape(name), steps, transposedNumbers);
  }

  /** A constant made of others: at once where it is small, else when a layer reads it. */
  fold(
    shape: Shape,
    integer: boolean,
    from: readonly ConstantValue[],
    compute: () => Numbers,
  ): ConstantValue {
    const small = sizeOf(shape) <= mostNumbers;
    if (small && from.every((each) => sizeOf(this.shape(each)) <= mostNumbers)) {
      const data = Array.from(compute(), integer ? (x) => x : Math.fround);
      return numbersValue(data, shape, integer);
    }
    const stored = Math.max(limits.numbers, ...from.map((each) => sizeOf(this.shape(each))));
    if (!(sizeOf(shape) <= stored))
      throw new UserError(
        `makes a constant of [${shown(shape)}]: at most ${limits.numbers} numbers are supported`,
      );
    return weightValue(this.weights.fold(shape, compute), integer);
  }

  isInteger(value: ConstantValue): boolean {
    return value.integer === true;
  }

  // -- layouts -------------------------------------------------------------------------------------------------------

  /** A node whose axes are those axes of the file, in that order. Throws UserError unless the first is the batch. */
  arranged(value: NodeValue, axes: readonly number[]): number {
    const perm = axes.map((axis) => value.order[axis]!);
    if (perm[0] !== 0) throw new UserError(`moves the batch: [${this.shape(value)}]`);
    return this.transpose(value.node, perm);
  }

  /** The value as a node in the layout that the file means. */
  asPlain(value: ForeignValue): number {
    if (value.kind === 'node') return this.arranged(value, identity(value.order.length));
    return this.graph.add({ kind: 'constant', value: value.kind === 'weight' ? value.param : value });
  }

  /** The value, of rank 4 in the file, as a node [batch, height, width, channel]. */
  asImage(value: ForeignValue, layout: 'NCHW' | 'NHWC' = 'NCHW'): number {
    if (this.shape(value).length !== 4)
      throw new UserError(`wants an image of four axes, not [${this.shape(value)}]`);
    const axes = layout === 'NCHW' ? [0, 2, 3, 1] : [0, 1, 2, 3];
    // Such as positions, which a network resizes to its picture.
    if (value.kind !== 'node') return this.asPlain(this.transposeValue(value, axes));
    return this.arranged(value, axes);
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

  /**
   * What users see of an activation: [batch, positions…, channel]. Tokens of patches are a map, beside which stands the
   * class token.
   */
  view(value: NodeValue): { node: number; cls?: number } {
    const { order, positions, channels } = listedAxes(value.roles, value.order.indexOf(0));
    const node = this.arranged(value, order);
    const [batch, count] = this.graph.shape(node);
    const listed = channels === 1 && batch === 1 ? node : this.merged(node, positions, channels);
    const isTokens = batch === 1 && positions === 1 && value.roles[order[1]!] === 'p';
    const grid = isTokens ? this.grids.of(count!) : undefined;
    if (!grid) return { node: listed };
    const { prefix, map } = grid;
    return {
      node: this.viewed(`${listed} map`, { kind: 'token map', prefix }, listed, map),
      ...(prefix > 0 && { cls: this.viewed(`${listed} cls`, { kind: 'token', index: 0 }, listed) }),
    };
  }

  /** [batch, positions…, channels…] with the windows of the batch among the positions and one axis of channels. */
  private merged(node: number, positions: number, channels: number): number {
    const shape = this.graph.shape(node);
    const [batch] = shape;
    const axes = identity(shape.length);
    const channel = sizeAlong(shape, axes.slice(1 + positions));
    const places = shape.slice(1, 1 + positions);
    const windows = batch === 1 ? [] : [batch!];
    const leading = batch === 1 ? {} : { leading: { from: batch!, to: 1 } };
    const op = { kind: 'reshape', shape: [...windows, ...places, channel], ...leading } as const;
    return this.viewed(`${node} ${positions} ${channels}`, op, node);
  }

  private viewed(key: string, op: Op, ...inputs: readonly number[]): number {
    const node = this.views.get(key) ?? this.graph.add(op, ...inputs);
    this.views.set(key, node);
    return node;
  }

  /** The same value in another shape. */
  reshape(value: ForeignValue, wanted: readonly number[]): ForeignValue {
    const shape = this.shape(value);
    const size = sizeOf(shape);
    const known = wanted.reduce((product, dim) => (dim === -1 ? product : product * dim), 1);
    const full = wanted.map((dim) => (dim === -1 ? size / known : dim));
    if (!full.every((dim) => Number.isInteger(dim) && dim >= 0) || sizeOf(full) !== size)
      throw new UserError(`cannot reshape [${shown(shape)}] to [${shown(wanted)}]`);
    if (value.kind === 'numbers') return numbersValue(value.data, full, value.integer);
    if (value.kind === 'weight') return { ...value, param: reshapedParam(value.param, full) };
    const batch = value.order.indexOf(0);
    const moved = batch > 0 ? reshapedBehind(this, value, full) : withBatchSecond(this, value, full);
    if (moved) return moved;
    const undone = value.before?.shape.join() === full.join() ? value.before.roles : null;
    const roles = undone ?? reshapedRoles(shape, value.roles, full);
    const before = { shape, roles: value.roles };
    this.grids.flattened(value.roles, shape, full, value.node);
    const [from, to] = [shape[0]!, full[0]!];
    if (to === from && full.length === 2) {
      const swapped = value.order.length === 4 && value.order[1] === 3 && value.order[2] === 1;
      const order = swapped ? 'chw' : 'hwc';
      const node = swapped ? value.node : this.asPlain(value);
      return { ...this.plain(this.graph.add({ kind: 'flatten', order }, node), roles), before };
    }
    // Where the file leaves one size open, so do we: other picture sizes may pass.
    const open = wanted.indexOf(-1) > 0 ? wanted : full;
    const leading = to === from ? {} : { leading: { from, to: wanted[0] === -1 ? -1 : to } };
    const op = { kind: 'reshape', shape: open.slice(1), ...leading } as const;
    return { ...this.plain(this.graph.add(op, this.asPlain(value)), roles), before };
  }

  transposeValue(value: ForeignValue, perm: readonly number[]): ForeignValue {
    checkPermutation(perm, this.shape(value));
    if (value.kind === 'weight') return { ...value, param: transposed(value.param, perm) };
    if (value.kind === 'numbers') {
      const { data, shape, integer } = value;
      const moved = Array.from(transposedNumbers(data, shape, perm));
      return numbersValue(
        moved,
        perm.map((axis) => shape[axis]!),
        integer,
      );
    }
    // Nothing is moved before someone wants another order than the one it is held in.
    return {
      kind: 'node',
      node: value.node,
      order: perm.map((axis) => value.order[axis]!),
      roles: perm.map((axis) => value.roles[axis]!),
    };
  }

  /** Without those axes, which are of length 1. */
  squeeze(value: ForeignValue, axes: readonly number[]): ForeignValue {
    const shape = this.shape(value);
    const kept = identity(shape.length).filter((axis) => !axes.includes(axis));
    if (value.kind !== 'node')
      return this.reshape(
        value,
        kept.map((axis) => shape[axis]!),
      );
    if (axes.some((axis) => value.order[axis] === 0 || shape[axis] !== 1))
      throw new UserError(`cannot take the axes ${axes} out of [${shape}]`);
    const held = axes.map((axis) => value.order[axis]!);
    const node = this.graph.add({ kind: 'squeeze', axes: held }, value.node);
    return withoutAxes(value, node, axes);
  }

  /** With axes of length 1 at those places of the result. */
  unsqueeze(value: ForeignValue, axes: readonly number[]): ForeignValue {
    const wanted = [...this.shape(value)];
    for (const axis of [...axes].sort((a, b) => a - b)) wanted.splice(axis, 0, 1);
    if (value.kind !== 'node') return this.reshape(value, wanted);
    const order = [...value.order];
    const roles = [...value.roles];
    let rank = order.length;
    for (const axis of [...axes].sort((a, b) => a - b)) {
      order.splice(axis, 0, rank++);
      // Where one channel has been picked out, this gives it its axis back.
      roles.splice(axis, 0, roles.includes('c') ? 'p' : 'c');
    }
    return {
      kind: 'node',
      node: this.graph.add({ kind: 'unsqueeze', count: axes.length }, value.node),
      order,
      roles,
    };
  }
}
