/**
 * @file What flows along the edges of a foreign graph (ONNX, TensorFlow): activations, and constants, which are worked
 * out while reading (a few numbers) or when a layer reads them (weights).
 */

import { UserError } from '../../core/errors.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import type { Shape } from '../layers/op.js';
import type { Param } from '../layers/params.js';
import { checkCount, limits, shown } from '../limits.js';
import type { Role } from './axes.js';

/** An activation, held with the batch first and its other axes in any order. */
export interface NodeValue {
  readonly kind: 'node';
  readonly node: number;
  /** Which axis of the node each axis of the file's array is. */
  readonly order: readonly number[];
  /** What each axis of the file's array is. */
  readonly roles: readonly Role[];
  /** Before a reshape that mixed channels and positions, which one back to the same shape undoes. */
  readonly before?: { readonly shape: Shape; readonly roles: readonly Role[] };
}

/** An array of the model's files, or made of them. */
export interface WeightValue {
  readonly kind: 'weight';
  readonly param: Param;
  readonly integer?: boolean;
}

/** A few numbers known while reading. */
export interface NumbersValue {
  readonly kind: 'numbers';
  readonly shape: Shape;
  readonly data: readonly number[];
  /** Whether the file holds them as integers: their division rounds. */
  readonly integer: boolean;
}

export type ConstantValue = WeightValue | NumbersValue;
export type ForeignValue = NodeValue | ConstantValue;

export const isConstant = (value: ForeignValue): value is ConstantValue => value.kind !== 'node';

/** Throws UserError for numbers that do not fill the shape, or too many. */
export function numbersValue(
  data: readonly number[],
  shape: Shape = [data.length],
  integer = true,
): NumbersValue {
  checkCount(data.length, limits.numbers, 'numbers in one array that is worked out while reading');
  if (shape.length > limits.axes || sizeOf(shape) !== data.length)
    throw new UserError(`${data.length} numbers do not fill [${shown(shape)}]`);
  return { kind: 'numbers', shape, data, integer };
}

export const weightValue = (param: Param, integer = false): WeightValue => ({
  kind: 'weight',
  param,
  integer,
});

/** More than these are weights, not settings. */
export const mostNumbers = 4096;

/** Where the axes of [batch, channel, height, width] lie in [batch, height, width, channel]. */
export const channelsFirst = [0, 3, 1, 2] as const;

export const identity = (rank: number): number[] => Array.from({ length: rank }, (_, axis) => axis);

/** The axes of the file's array in the order that they are held in. */
export function heldAxes({ order }: NodeValue): number[] {
  return order.map((_, held) => order.indexOf(held));
}

/** A node that lacks some axes of the file's array. */
export function withoutAxes(value: NodeValue, node: number, axes: readonly number[]): NodeValue {
  const kept = identity(value.order.length).filter((axis) => !axes.includes(axis));
  const held = kept.map((axis) => value.order[axis]!);
  const sorted = [...held].sort((a, b) => a - b);
  return {
    kind: 'node',
    node,
    order: held.map((axis) => sorted.indexOf(axis)),
    roles: kept.map((axis) => value.roles[axis]!),
  };
}

/** An image, or positions before channels. */
export function defaultRoles(rank: number): Role[] {
  if (rank === 4) return ['b', 'y', 'x', 'c'];
  return Array.from({ length: rank }, (_, axis) => (axis === 0 ? 'b' : axis === rank - 1 ? 'c' : 'p'));
}

export function withoutLeadingOnes(shape: Shape): number[] {
  const first = shape.findIndex((dim) => dim !== 1);
  return first === -1 ? shape.slice(-1) : shape.slice(first);
}
