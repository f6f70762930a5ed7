/** @file ONNX operators that move numbers, and those that work out shapes while reading. */
import { UserError } from '../../../core/errors.js';
import { clipped } from '../../../core/visible.js';
import type { ReductionName } from '../../layers/op.js';

import { compared, constantOfShape, numberRange, reduced, selected } from '../combining.js';
import { concatenated, expanded, gathered, padded, picked, sliced, tiled } from '../moves.js';
import { type ForeignValue, numbersValue } from '../values.js';
import type { OnnxRule } from './context.js';

const shape: OnnxRule = (call) => {
  const dims = call.importer.shape(call.input(0));
  return numbersValue(dims.slice(call.int('start', 0), call.int('end', dims.length)));
};

const size: OnnxRule = (call) =>
  numbersValue([call.importer.shape(call.input(0)).reduce((a, b) => a * b, 1)], []);

const constant: OnnxRule = (call) => {
  const tensor = call.tensor('value');
  if (tensor) return call.constant(tensor);
  const ints = call.ints('value_ints');
  if (ints) return numbersValue(ints);
  const floats = call.floats('value_floats');
  if (floats) return numbersValue(floats, [floats.length], false);
  if (call.has('value_int')) return numbersValue([call.int('value_int', 0)], []);
  if (call.has('value_float')) return numbersValue([call.float('value_float', 0)], [], false);
  throw new UserError('holds no numbers');
};

const ofShape: OnnxRule = (call) => {
  const tensor = call.tensor('value');
  const value = tensor ? call.constant(tensor) : numbersValue([0], [], false);
  if (value.kind === 'node') throw new UserError('holds no numbers');
  const dims = call.importer.numbers(call.input(0), 'the shape');
  return constantOfShape(call.importer, dims, call.oneNumber(value, 'the value'), value.integer === true);
};

const reshape: OnnxRule = (call) => {
  const dims = call.importer.shape(call.input(0));
  const wanted = call.list('shape', 1) ?? [];
  const copied = wanted.map((dim, i) => (dim === 0 && call.int('allowzero', 0) === 0 ? dims[i]! : dim));
  return call.importer.reshape(call.input(0), copied);
};

const flatten: OnnxRule = (call) => {
  const dims = call.importer.shape(call.input(0));
  const given = call.int('axis', 1);
  const axis = given === dims.length ? given : call.axis(given, dims.length);
  const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
  return call.importer.reshape(call.input(0), [product(dims.slice(0, axis)), product(dims.slice(axis))]);
};

const squeeze: OnnxRule = (call) => {
  const dims = call.importer.shape(call.input(0));
  const value = call.input(0);
  const ones = dims.flatMap((dim, i) =>
    dim === 1 && (value.kind !== 'node' || value.order[i] !== 0) ? [i] : [],
  );
  const axes = (call.list('axes', 1) ?? ones).map((axis) => call.axis(axis, dims.length));
  return call.importer.squeeze(value, axes);
};

const unsqueeze: OnnxRule = (call) => {
  const rank = call.importer.shape(call.input(0)).length;
  const given = call.list('axes', 1) ?? [];
  return call.importer.unsqueeze(
    call.input(0),
    given.map((axis) => call.axis(axis, rank + given.length)),
  );
};

const transpose: OnnxRule = (call) => {
  const rank = call.importer.shape(call.input(0)).length;
  const reversed = Array.from({ length: rank }, (_, i) => rank - 1 - i);
  return call.importer.transposeValue(call.input(0), call.ints('perm') ?? reversed);
};

const concat: OnnxRule = (call) => {
  const rank = call.importer.shape(call.input(0)).length;
  const values = call.inputs.map((_, i) => call.input(i));
  return concatenated(call.importer, values, call.axis(call.int('axis', 1), rank));
};

const slice: OnnxRule = (call) => {
  const starts = call.list('starts', 1) ?? [];
  const ends = call.list('ends', 2) ?? [];
  const axes = call.list('axes', 3) ?? starts.map((_, i) => i);
  const steps = call.list('steps', 4) ?? starts.map(() => 1);
  const rank = call.importer.shape(call.input(0)).length;
  if ([starts, ends, steps].some(({ length }) => length !== axes.length))
    throw new UserError(`slices ${axes.length} axes from ${starts.length} places to ${ends.length}`);
  return axes.reduce(
    (value: ForeignValue, axis, i) =>
      sliced(call.importer, value, call.axis(axis, rank), [starts[i]!, ends[i]!, steps[i]!]),
    call.input(0),
  );
};

const split: OnnxRule = (call) => {
  const value = call.input(0);
  const dims = call.importer.shape(value);
  const axis = call.axis(call.int('axis', 0), dims.length);
  const parts = call.node.output?.length ?? 1;
  const even = Math.ceil(dims[axis]! / parts);
  const sizes =
    call.list('split', 1) ?? Array.from({ length: parts }, (_, i) => Math.min(even, dims[axis]! - i * even));
  if (sizes.some((size) => size < 1) || sizes.reduce((a, b) => a + b, 0) !== dims[axis])
    throw new UserError(
      `cuts ${dims[axis]} entries into ${sizes.length} parts that are not as many together`,
    );
  let begin = 0;
  return sizes.map((size) => {
    begin += size;
    return sliced(call.importer, value, axis, [begin - size, begin, 1]);
  });
};

const gather: OnnxRule = (call) => {
  const rank = call.importer.shape(call.input(0)).length;
  return gathered(call.importer, call.input(0), call.axis(call.int('axis', 0), rank), call.input(1));
};

/** Entries by their places along the first axes. */
const gatherNd: OnnxRule = (call) => {
  const { importer } = call;
  const indices = importer.numbers(call.input(1), 'the indices');
  const along = importer.shape(call.input(1));
  const depth = along.at(-1)!;
  const [value, dims] = [call.input(0), importer.shape(call.input(0))];
  const first = call.int('batch_dims', 0);
  const rows = indices.length / depth;
  const places = Array.from({ length: rows }, (_, i) => indices.slice(i * depth, (i + 1) * depth));
  // Only one of the axes may differ between the entries.
  const same = Array.from({ length: depth }, (_, axis) =>
    places.every((place) => place[axis] === places[0]![axis]),
  );
  if (first !== 0 || rows < 1 || same.filter((each) => !each).length > 1)
    throw new UserError('picks entries of several axes at once, which is not supported');
  const moving = Math.max(0, same.indexOf(false));
  let result = value;
  for (let axis = depth - 1; axis >= 0; axis--) {
    const isMoving = axis === moving;
    if (!isMoving && dims[axis] === 1 && value.kind === 'node' && value.order[axis] === 0)
      throw new UserError('picks pictures of the batch, which is not supported');
    result = picked(
      importer,
      result,
      axis,
      isMoving ? places.map((place) => place[axis]!) : [places[0]![axis]!],
    );
  }
  const others = Array.from({ length: depth }, (_, axis) => axis).filter((axis) => axis !== moving);
  return importer.squeeze(result, rows === 1 && along.length === 1 ? [...others, moving] : others);
};

const pad: OnnxRule = (call) => {
  const { importer } = call;
  const mode = call.string('mode', 'constant');
  if (mode !== 'constant' && mode !== 'reflect' && mode !== 'edge') {
    throw new UserError(`pads in the mode "${clipped(mode)}", which is not supported`);
  }
  const value = call.inputs[2] ? call.oneNumber(call.inputs[2], 'the padding') : call.float('value', 0);
  const rank = importer.shape(call.input(0)).length;
  const given = call.list('pads', 1) ?? [];
  const axes = call.inputs[3]
    ? importer.numbers(call.inputs[3], 'the axes').map((axis) => call.axis(axis, rank))
    : Array.from({ length: rank }, (_, i) => i);
  if (given.length !== 2 * axes.length)
    throw new UserError(`has ${given.length} sizes of a border for ${axes.length} axes`);
  const pads = Array.from({ length: rank }, (_, axis): [number, number] => {
    const i = axes.indexOf(axis);
    return i === -1 ? [0, 0] : [given[i]!, given[i + axes.length]!];
  });
  if (pads.flat().every((n) => n === 0)) return call.input(0);
  return padded(importer, call.input(0), pads, mode, value);
};

const reduce =
  (name: ReductionName): OnnxRule =>
  (call) => {
    const rank = call.importer.shape(call.input(0)).length;
    const given = call.list('axes', 1);
    if (!given?.length && call.int('noop_with_empty_axes', 0) === 1) return call.input(0);
    const all = Array.from({ length: rank }, (_, i) => i);
    const axes = (given?.length ? given : all).map((axis) => call.axis(axis, rank));
    return reduced(call.importer, call.input(0), name, axes, call.int('keepdims', 1) === 1);
  };

const compare =
  (of: (a: number, b: number) => boolean): OnnxRule =>
  (call) =>
    compared(call.importer, call.input(0), call.input(1), of);

/** Activations are taken to be finite, so that what guards a softmax against rows of -infinity falls away. */
const special =
  (of: (x: number) => boolean): OnnxRule =>
  (call) => {
    const x = call.input(0);
    if (x.kind === 'node') return numbersValue([0], []);
    return call.importer.fold(call.importer.shape(x), true, [x], () =>
      Float64Array.from(call.importer.entries(x), (value) => Number(of(value))),
    );
  };

const range: OnnxRule = (call) => {
  const [start, limit, step] = [0, 1, 2].map((i) => call.oneNumber(call.input(i), 'a bound')) as [
    number,
    number,
    number,
  ];
  const integer = call.inputs.every((value) => value && value.kind !== 'node' && value.integer === true);
  return numberRange(call.importer, [start, limit, step], integer);
};

export const onnxLayout: Readonly<Record<string, OnnxRule>> = {
  Shape: shape,
  Size: size,
  Constant: constant,
  ConstantOfShape: ofShape,
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Concat: concat,
  Slice: slice,
  Split: split,
  Gather: gather,
  GatherND: gatherNd,
  Pad: pad,
  Expand: (call) => expanded(call.importer, call.input(0), call.importer.numbers(call.input(1), 'the shape')),
  Tile: (call) => tiled(call.importer, call.input(0), call.importer.numbers(call.input(1), 'the repeats')),
  Where: (call) => selected(call.importer, call.input(0), call.input(1), call.input(2)),
  Range: range,
  Equal: compare((a, b) => a === b),
  Greater: compare((a, b) => a > b),
  GreaterOrEqual: compare((a, b) => a >= b),
  Less: compare((a, b) => a < b),
  LessOrEqual: compare((a, b) => a <= b),
  And: compare((a, b) => a !== 0 && b !== 0),
  Or: compare((a, b) => a !== 0 || b !== 0),
  IsNaN: special(Number.isNaN),
  IsInf: special((x) => Math.abs(x) === Number.POSITIVE_INFINITY),
  ReduceMean: reduce('mean'),
  ReduceSum: reduce('sum'),
  ReduceMax: reduce('max'),
  ReduceMin: reduce('min'),
  ReduceProd: reduce('prod'),
  ReduceL1: reduce('l1'),
  ReduceL2: reduce('l2'),
};
