/** @file Arithmetic of constants: what a file computes from its weights and sizes alone, worked out while reading. */
import { UserError } from '../../core/errors.js';
import { broadcastShape, sizeOf } from '../../engine/tensor-spec.js';
import type { ActivationName, BinaryOp, Shape } from '../layers/op.js';

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

/** Functions of one number that graphs apply to constants; `a` and `b` as in the table of activations. */
export const functions: Partial<Record<ActivationName, (x: number, a: number, b: number) => number>> = {
  relu: (x) => Math.max(0, x),
  clip: (x, a, b) => Math.min(Math.max(x, a), b),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  'hard-sigmoid': (x, a, b) => Math.min(Math.max(a * x + b, 0), 1),
  erf: (x) => erf(x),
  tanh: Math.tanh,
  softplus: (x) => Math.log1p(Math.exp(x)),
  linear: (x, a, b) => a * x + b,
  power: (x, a) => x ** a,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  abs: Math.abs,
  floor: Math.floor,
  ceil: Math.ceil,
  round: (x) => roundHalfEven(x),
  sign: Math.sign,
  truncate: Math.trunc,
  nonzero: (x) => (x === 0 ? 0 : 1),
};

/** To 1.5e-7 (Abramowitz and Stegun 7.1.26). */
export function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}

/** To the nearest integer, the even one of two. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

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
