/** @file Arithmetic of constants: what a file computes from its weights and sizes alone, worked out while reading. */
import { UserError } from '../../core/errors.js';
import { broadcastShape, sizeOf } from '../../engine/tensor-spec.js';
import type { BinaryOp, Shape } from '../layers/op.js';

export type Numbers = ArrayLike<number>;

/** Arithmetic on two numbers. */
export const arithmetic: Readonly<Record<BinaryOp['kind'], (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
};

/** How many entries lie between neighbours along each axis. */
export function stridesOf(shape: Shape): number[] {
  const strides = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1]! * shape[axis + 1]!;
  return strides;
}

/** An array made entry by entry: `at` gets the place along each axis, which it must not keep. */
export function filled(shape: Shape, at: (place: readonly number[]) => number): Float64Array {
  const result = new Float64Array(sizeOf(shape));
  const place = shape.map(() => 0);
  for (let i = 0; i < result.length; i++) {
    result[i] = at(place);
    for (let axis = shape.length - 1; axis >= 0 && ++place[axis]! === shape[axis]; axis--) place[axis] = 0;
  }
  return result;
}

/** The shape that two arrays are broadcast to, as in NumPy. Throws UserError where they cannot be. */
export function broadcast(kind: string, a: Shape, b: Shape): number[] {
  try {
    return broadcastShape(a, b);
  } catch {
    throw new UserError(`cannot ${kind} arrays of [${a}] and [${b}]`);
  }
}

/** Where the entry of a broadcast array lies in one of its inputs. */
export function broadcastPlace(shape: Shape, rank: number): (place: readonly number[]) => number {
  const strides = stridesOf(shape);
  return (place) =>
    shape.reduce(
      (sum, dim, axis) => sum + (dim === 1 ? 0 : place[axis + rank - shape.length]! * strides[axis]!),
      0,
    );
}

/** Two arrays, entry by entry. */
export function combined(
  shape: Shape,
  [a, aShape]: readonly [Numbers, Shape],
  [b, bShape]: readonly [Numbers, Shape],
  of: (a: number, b: number) => number,
): Float64Array {
  const [aPlace, bPlace] = [broadcastPlace(aShape, shape.length), broadcastPlace(bShape, shape.length)];
  return filled(shape, (place) => of(a[aPlace(place)]!, b[bPlace(place)]!));
}

export function transposedNumbers(x: Numbers, shape: Shape, perm: readonly number[]): Float64Array {
  const strides = stridesOf(shape);
  return filled(
    perm.map((axis) => shape[axis]!),
    (place) => x[perm.reduce((sum, axis, i) => sum + place[i]! * strides[axis]!, 0)]!,
  );
}

/** Entries of one axis, by number. */
export function taken(x: Numbers, shape: Shape, axis: number, chosen: readonly number[]): Float64Array {
  const strides = stridesOf(shape);
  return filled(
    shape.map((dim, i) => (i === axis ? chosen.length : dim)),
    (place) => x[place.reduce((sum, at, i) => sum + (i === axis ? chosen[at]! : at) * strides[i]!, 0)]!,
  );
}
