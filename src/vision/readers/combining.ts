/** @file Reducing, multiplying, comparing and choosing values, and making constants: what ONNX and TensorFlow have in common. */
import { UserError } from '../../core/errors.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import type { ReductionName } from '../layers/op.js';
import { limits, shown } from '../limits.js';
import { broadcast, broadcastPlace, combined, filled } from './arrays.js';
import type { Role } from './axes.js';
import type { Importer } from './importer.js';
import {
  type ConstantValue,
  type ForeignValue,
  heldAxes,
  identity,
  isConstant,
  type NodeValue,
  withoutAxes,
} from './values.js';

export function reduced(
  importer: Importer,
  value: ForeignValue,
  name: ReductionName,
  axes: readonly number[],
  keepDims: boolean,
): ForeignValue {
  const shape = importer.shape(value);
  if (isConstant(value)) {
    const kept = shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
    const total = importer.fold(kept, importer.isInteger(value) && name !== 'l2', [value], () =>
      reducedNumbers(importer.entries(value), shape, kept, name),
    );
    return keepDims ? total : importer.squeeze(total, axes);
  }
  const held = axes.map((axis) => value.order[axis]!);
  if (held.includes(0)) throw new UserError('reduces over the batch, which is not supported');
  if (held.length === 0) return value;
  const node = importer.graph.add({ kind: 'reduce', name, axes: held, keepDims }, value.node);
  return keepDims ? { ...value, node } : withoutAxes(value, node, axes);
}

const reducers: Readonly<
  Record<ReductionName, readonly [start: number, step: (a: number, b: number) => number]>
> = {
  mean: [0, (a, b) => a + b],
  sum: [0, (a, b) => a + b],
  max: [Number.NEGATIVE_INFINITY, Math.max],
  min: [Number.POSITIVE_INFINITY, Math.min],
  prod: [1, (a, b) => a * b],
  l1: [0, (a, b) => a + Math.abs(b)],
  l2: [0, (a, b) => a + b * b],
};

function reducedNumbers(
  x: ArrayLike<number>,
  shape: readonly number[],
  kept: readonly number[],
  name: ReductionName,
): Float64Array {
  const [start, step] = reducers[name];
  const result = new Float64Array(sizeOf(kept)).fill(start);
  const place = broadcastPlace(kept, shape.length);
  let i = 0;
  filled(shape, (at) => {
    const to = place(at);
    result[to] = step(result[to]!, x[i++]!);
    return 0;
  });
  if (name === 'mean') return result.map((sum) => sum / (x.length / result.length));
  return name === 'l2' ? result.map(Math.sqrt) : result;
}

/** A softmax along one axis. */
export function softmaxed(importer: Importer, value: ForeignValue, axis: number): ForeignValue {
  if (isConstant(value)) throw new UserError('is a softmax of constants, which is not supported');
  const others = heldAxes(value).filter((each) => each !== axis);
  const order = [...others, axis];
  const node = importer.graph.add({ kind: 'softmax' }, importer.arranged(value, order));
  return { ...value, node, order: order.map((_, each) => order.indexOf(each)) };
}

/** A product of matrices, as `np.matmul`. */
export function multiplied(importer: Importer, a: ForeignValue, b: ForeignValue): ForeignValue {
  const [aShape, bShape] = [importer.shape(a), importer.shape(b)];
  if (isConstant(a) && isConstant(b)) return constantProduct(importer, a, b);
  if (a.kind === 'node' && isConstant(b) && bShape.length === 2) {
    const batch = a.order.indexOf(0);
    // Tokens may come before the batch.
    const axes = [batch, ...identity(aShape.length).filter((axis) => axis !== batch)];
    const kernel = importer.weight(b, 'the second input');
    const node = importer.graph.add(
      { kind: 'dense', kernel },
      importer.arranged(a, batch === aShape.length - 1 ? identity(aShape.length) : axes),
    );
    const elsewhere = a.roles.slice(0, -1).includes('c') && a.roles.at(-1) !== 'c';
    const last: Role = elsewhere ? a.roles.at(-1)! : 'c';
    const order = axes.map((_, axis) => axes.indexOf(axis));
    return { kind: 'node', node, order, roles: [...a.roles.slice(0, -1), last] };
  }
  if (aShape.length < 2 || bShape.length < 2) throw new UserError(`multiplies [${aShape}] by [${bShape}]`);
  if (a.kind === 'node' && b.kind === 'node' && aShape.length !== bShape.length)
    throw new UserError(`multiplies [${aShape}] by [${bShape}]: one of them lacks the batch`);
  const node = importer.graph.add({ kind: 'matmul' }, importer.asPlain(a), importer.asPlain(b));
  const rank = importer.graph.shape(node).length;
  const rolesOf = (value: ForeignValue): readonly Role[] =>
    value.kind === 'node' ? value.roles : new Array<Role>(rank).fill('p');
  const [left, right] = [rolesOf(a), rolesOf(b)];
  const leading = (a.kind === 'node' ? left : right).slice(0, -2);
  return importer.plain(node, [...leading, left.at(-2)!, right.at(-1)!]);
}

function constantProduct(importer: Importer, a: ConstantValue, b: ConstantValue): ForeignValue {
  const shape = importer.shape(a);
  if (shape.length > 2 && importer.shape(b).length === 2) {
    const rows = importer.reshape(a, [-1, shape.at(-1)!]) as ConstantValue;
    return importer.reshape(constantProduct(importer, rows, b), [...shape.slice(0, -1), -1]);
  }
  const [[rows, inner, ...moreA], [depth, columns, ...moreB]] = [importer.shape(a), importer.shape(b)] as [
    number[],
    number[],
  ];
  if (moreA.length + moreB.length > 0 || inner !== depth || rows! * columns! * inner! > limits.resize)
    throw new UserError('multiplies constants that are no small matrices, which is not supported');
  return importer.fold([rows!, columns!], false, [a, b], () => {
    const [x, y] = [importer.entries(a), importer.entries(b)];
    return filled([rows!, columns!], ([i, j]) => {
      let sum = 0;
      for (let k = 0; k < inner!; k++) sum += x[i! * inner! + k]! * y[k * columns! + j!]!;
      return sum;
    });
  });
}

/** `a` where the condition is not 0, else `b`. */
export function selected(
  importer: Importer,
  condition: ForeignValue,
  a: ForeignValue,
  b: ForeignValue,
): ForeignValue {
  if (isConstant(condition) && isConstant(a) && isConstant(b)) {
    const both = combinedWhere(importer, condition, a, b);
    return both;
  }
  if (condition.kind === 'numbers' && condition.data.length === 1) {
    const [chosen, other] = condition.data[0] === 0 ? [b, a] : [a, b];
    const [shape, left] = [importer.shape(chosen), importer.shape(other)];
    if (chosen.kind === 'node' && (sizeOf(left) === 1 || `${left}` === `${shape}`)) return chosen;
  }
  const nodes = [condition, a, b].filter((value): value is NodeValue => value.kind === 'node');
  const [first] = nodes;
  const rank = first!.order.length;
  if (nodes.some(({ order }) => order.length !== rank))
    throw new UserError('chooses between arrays of other axes');
  const axes = heldAxes(first!);
  const [where, yes, no] = [condition, a, b].map((value) =>
    value.kind === 'node'
      ? importer.arranged(value, axes)
      : importer.asPlain(importer.aligned(value, first!)),
  ) as [number, number, number];
  return { ...first!, node: importer.graph.add({ kind: 'select' }, where, yes, no) };
}

function combinedWhere(
  importer: Importer,
  condition: ConstantValue,
  a: ConstantValue,
  b: ConstantValue,
): ForeignValue {
  const [c, x, y] = [condition, a, b].map((value) => importer.shape(value)) as [number[], number[], number[]];
  const shape = broadcast('choose between', broadcast('choose between', c, x), y);
  const integer = importer.isInteger(a) && importer.isInteger(b);
  return importer.fold(shape, integer, [condition, a, b], () => {
    const [data, yes, no] = [condition, a, b].map((value) => importer.entries(value)) as [
      never,
      never,
      never,
    ];
    const [at, atYes, atNo] = [c, x, y].map((each) => broadcastPlace(each, shape.length)) as [
      (place: readonly number[]) => number,
      (place: readonly number[]) => number,
      (place: readonly number[]) => number,
    ];
    return filled(shape, (place) => (data[at(place)] === 0 ? no[atNo(place)]! : yes[atYes(place)]!));
  });
}

/** A comparison of constants. */
export function compared(
  importer: Importer,
  a: ForeignValue,
  b: ForeignValue,
  of: (a: number, b: number) => boolean,
): ForeignValue {
  if (!isConstant(a) || !isConstant(b)) throw new UserError('compares activations, which is not supported');
  const shape = broadcast('compare', importer.shape(a), importer.shape(b));
  return importer.fold(shape, true, [a, b], () =>
    combined(
      shape,
      [importer.entries(a), importer.shape(a)],
      [importer.entries(b), importer.shape(b)],
      (x, y) => Number(of(x, y)),
    ),
  );
}

/** The numbers from `start` to before `limit`. */
export function numberRange(
  importer: Importer,
  [start, limit, step]: readonly [number, number, number],
  integer: boolean,
): ForeignValue {
  const count = Math.max(0, Math.ceil((limit - start) / step));
  if (!(count <= limits.numbers)) throw new UserError(`counts from ${start} to ${limit} by ${step}`);
  return importer.fold([count], integer, [], () =>
    Float64Array.from({ length: count }, (_, i) => start + i * step),
  );
}

/** One number everywhere. */
export function constantOfShape(
  importer: Importer,
  shape: readonly number[],
  value: number,
  integer: boolean,
): ForeignValue {
  if (!shape.every((dim) => Number.isInteger(dim) && dim >= 0))
    throw new UserError(`makes a constant of [${shown(shape)}], which is impossible`);
  return importer.fold(shape, integer, [], () => new Float32Array(sizeOf(shape)).fill(value));
}
