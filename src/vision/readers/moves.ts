/** @file Moving, choosing and repeating entries of values: what ONNX and TensorFlow have in common. */
import { UserError } from '../../core/errors.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import type { PadOp } from '../layers/op.js';
import { limits, shown } from '../limits.js';
import { broadcast, broadcastPlace, filled, taken } from './arrays.js';
import type { Importer } from './importer.js';
import { type ConstantValue, type ForeignValue, heldAxes, isConstant, type NodeValue } from './values.js';

/** Axis counted from the front. Throws UserError for one that is not there. */
export function axisOf(axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new UserError(`has the axis ${axis} for an array of ${rank} axes`);
  return axis < 0 ? axis + rank : axis;
}

/** Entries begin, begin + step, … before end of one axis; negative places count from the end, as in NumPy. */
export function sliced(
  importer: Importer,
  value: ForeignValue,
  axis: number,
  [begin, end, step]: readonly [begin: number, end: number, step: number],
): ForeignValue {
  const dim = importer.shape(value)[axis]!;
  if (!Number.isInteger(step) || step === 0) throw new UserError(`slices with a step of ${step}`);
  const down = step < 0;
  const bound = (at: number): number =>
    Math.min(Math.max(at < 0 ? at + dim : at, down ? -1 : 0), down ? dim - 1 : dim);
  const [first, last] = [bound(begin), bound(end)];
  const count = Math.max(0, Math.ceil((last - first) / step));
  if (count === dim && step === 1) return value;
  const chosen = Array.from({ length: count }, (_, i) => first + i * step);
  if (isConstant(value) || down || count === 0) return picked(importer, value, axis, chosen);
  return importer.after(value, { kind: 'slice', axis: value.order[axis]!, begin, end, step });
}

/** Entries of one axis, by number. */
export function picked(
  importer: Importer,
  value: ForeignValue,
  axis: number,
  chosen: readonly number[],
): ForeignValue {
  const shape = importer.shape(value);
  const dim = shape[axis]!;
  const wrong = chosen.find((i) => !Number.isInteger(i) || i < -dim || i >= dim);
  if (wrong !== undefined) throw new UserError(`picks entry ${wrong} of ${dim}`);
  const indices = chosen.map((i) => (i < 0 ? i + dim : i));
  const wanted = shape.map((size, i) => (i === axis ? indices.length : size));
  if (isConstant(value))
    return importer.fold(wanted, importer.isInteger(value), [value], () =>
      taken(importer.entries(value), shape, axis, indices),
    );
  if (indices.length === 0) throw new UserError(`leaves nothing of ${dim} entries`);
  if (value.order[axis] === 0) throw new UserError('picks pictures of the batch, which is not supported');
  const first = indices[0]!;
  const held = value.order[axis]!;
  // A run is cheaper as a slice.
  const op = indices.every((index, i) => index === first + i)
    ? ({ kind: 'slice', axis: held, begin: first, end: first + indices.length, step: 1 } as const)
    : ({ kind: 'gather', axis: held, indices } as const);
  return importer.after(value, op);
}

/** Entries of one axis, which becomes the axes of the indices. */
export function gathered(
  importer: Importer,
  value: ForeignValue,
  axis: number,
  indices: ForeignValue,
): ForeignValue {
  const chosen = importer.numbers(indices, 'the indices');
  const shape = importer.shape(value);
  const along = importer.shape(indices);
  const entries = picked(importer, value, axis, chosen);
  if (along.length === 1) return entries;
  if (along.length === 0) return importer.squeeze(entries, [axis]);
  return importer.reshape(entries, [...shape.slice(0, axis), ...along, ...shape.slice(axis + 1)]);
}

export function concatenated(
  importer: Importer,
  values: readonly ForeignValue[],
  axis: number,
): ForeignValue {
  if (values.length === 1) return values[0]!;
  const shapes = values.map((value) => importer.shape(value));
  const first = values.find((value): value is NodeValue => value.kind === 'node');
  if (!first) return joinedConstants(importer, values.filter(isConstant), axis);
  if (shapes.some(({ length }) => length !== first.order.length))
    throw new UserError(`joins arrays of ${shapes.map(({ length }) => length).join(' and ')} axes`);
  if (first.order[axis] === 0) throw new UserError('joins pictures of the batch, which is not supported');
  if (first.roles[axis] === 'p') importer.grids.joined(shapes.map((shape) => shape[axis]!));
  const axes = heldAxes(first);
  const nodes = values.map((value) =>
    value.kind === 'node' ? importer.arranged(value, axes) : importer.asPlain(importer.aligned(value, first)),
  );
  return { ...first, node: importer.graph.add({ kind: 'concat', axis: first.order[axis]! }, ...nodes) };
}

function joinedConstants(importer: Importer, values: readonly ConstantValue[], axis: number): ForeignValue {
  const shapes = values.map((value) => importer.shape(value));
  const [first = []] = shapes;
  if (
    shapes.some(
      (shape) => shape.length !== first.length || shape.some((dim, i) => i !== axis && dim !== first[i]),
    )
  )
    throw new UserError(
      `cannot join arrays of ${shapes
        .slice(0, 4)
        .map((shape) => `[${shape}]`)
        .join(' and ')}`,
    );
  const wanted = first.map((dim, i) =>
    i === axis ? shapes.reduce((sum, shape) => sum + shape[i]!, 0) : dim,
  );
  const integer = values.every((value) => importer.isInteger(value));
  return importer.fold(wanted, integer, values, () => {
    const outer = sizeOf(first.slice(0, axis));
    const parts = values.map((value, i) => ({
      data: importer.entries(value),
      size: sizeOf(shapes[i]!) / outer,
    }));
    const result = new Float64Array(sizeOf(wanted));
    let at = 0;
    for (let row = 0; row < outer; row++)
      for (const { data, size } of parts) for (let k = 0; k < size; k++) result[at++] = data[row * size + k]!;
    return result;
  });
}

/** As `np.broadcast_to`, where either shape may be the longer one in an axis. */
export function expanded(importer: Importer, value: ForeignValue, wanted: readonly number[]): ForeignValue {
  const shape = importer.shape(value);
  const full = broadcast('expand', shape, wanted);
  if (sizeOf(full) === sizeOf(shape) && full.length === shape.length) return value;
  if (isConstant(value)) {
    return importer.fold(full, importer.isInteger(value), [value], () => {
      const data = importer.entries(value);
      const place = broadcastPlace(shape, full.length);
      return filled(full, (at) => data[place(at)]!);
    });
  }
  const ones = full.slice(full.length - shape.length).map((dim, axis) => (shape[axis] === dim ? 1 : dim));
  if (full.length > shape.length) throw new UserError(`expands [${shape}] to [${shown(wanted)}]`);
  const data = importer.fold(ones, false, [], () => new Float32Array(sizeOf(ones)).fill(1));
  const axes = heldAxes(value);
  const factor = importer.asPlain(importer.transposeValue(data, axes));
  return { ...value, node: importer.graph.add({ kind: 'multiply' }, value.node, factor) };
}

export function tiled(importer: Importer, value: ForeignValue, repeats: readonly number[]): ForeignValue {
  const shape = importer.shape(value);
  if (repeats.length !== shape.length)
    throw new UserError(`repeats ${repeats.length} of ${shape.length} axes`);
  return repeats.reduce((x: ForeignValue, count, axis) => {
    if (count === 1) return x;
    const dim = importer.shape(x)[axis]!;
    if (!(count >= 1) || count * dim > limits.numbers)
      throw new UserError(`repeats ${dim} entries ${count} times`);
    return picked(
      importer,
      x,
      axis,
      Array.from({ length: count * dim }, (_, i) => i % dim),
    );
  }, value);
}

/** @param pads - by axis of the file */
export function padded(
  importer: Importer,
  value: ForeignValue,
  pads: readonly (readonly [number, number])[],
  mode: PadOp['mode'],
  fill: number,
): ForeignValue {
  if (isConstant(value)) {
    const shape = importer.shape(value);
    if (mode !== 'constant') throw new UserError('mirrors the border of a constant, which is not supported');
    const wanted = shape.map((dim, axis) => dim + pads[axis]![0] + pads[axis]![1]);
    if (wanted.some((dim) => !(dim >= 0))) throw new UserError(`makes an array of [${shown(wanted)}]`);
    return importer.fold(wanted, importer.isInteger(value), [value], () => {
      const data = importer.entries(value);
      return filled(wanted, (place) => {
        const inside = place.map((at, axis) => at - pads[axis]![0]);
        if (inside.some((at, axis) => at < 0 || at >= shape[axis]!)) return fill;
        return data[inside.reduce((sum, at, axis) => sum * shape[axis]! + at, 0)]!;
      });
    });
  }
  if (pads[value.order.indexOf(0)]!.some((n) => n !== 0))
    throw new UserError('pads the batch, which is not supported');
  if (mode === 'constant') {
    const held = heldAxes(value).map((axis) => pads[axis]!);
    return importer.after(value, { kind: 'pad', pads: held, mode, value: fill });
  }
  // Only rows and columns of images are mirrored; others become such.
  const moved = pads.flatMap((pair, axis) => (pair.some((n) => n !== 0) ? [axis] : []));
  if (moved.length > 2 || value.order.length > 4)
    throw new UserError('mirrors the border of more than two axes, which is not supported');
  const rest = value.order
    .map((_, axis) => axis)
    .filter((axis) => value.order[axis] !== 0 && !moved.includes(axis));
  while (moved.length < 2 && rest.length > 0) moved.push(rest.shift()!);
  const axes = [value.order.indexOf(0), ...moved, ...rest];
  if (axes.length !== 4)
    throw new UserError('mirrors the border of something that is no image, which is not supported');
  const op = { kind: 'pad', pads: axes.map((axis) => pads[axis]!), mode, value: fill } as const;
  const node = importer.graph.add(op, importer.arranged(value, axes));
  return { ...value, node, order: axes.map((_, axis) => axes.indexOf(axis)) };
}
