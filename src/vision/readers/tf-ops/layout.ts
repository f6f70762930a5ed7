/** @file TensorFlow operations that move numbers, and those that work out shapes while reading. */
import { UserError } from '../../../core/errors.js';
import type { PadOp, ReductionName } from '../../layers/op.js';
import { constantOfShape, numberRange, reduced } from '../combining.js';
import { axisOf, concatenated, expanded, gathered, padded, picked, sliced, tiled } from '../moves.js';
import { type ForeignValue, numbersValue } from '../values.js';
import type { TfCall, TfRule } from './context.js';

const rankOf = (call: TfCall, value: ForeignValue): number => call.importer.shape(value).length;

const squeeze: TfRule = (call) => {
  const value = call.input(0);
  const dims = call.importer.shape(value);
  const given = call.ints('squeeze_dims') ?? call.ints('axis') ?? [];
  const ones = dims.flatMap((dim, i) =>
    dim === 1 && (value.kind !== 'node' || value.order[i] !== 0) ? [i] : [],
  );
  return call.importer.squeeze(
    value,
    given.length > 0 ? given.map((axis) => axisOf(axis, dims.length)) : ones,
  );
};

const expandDims: TfRule = (call) => {
  const rank = rankOf(call, call.input(0));
  return call.importer.unsqueeze(call.input(0), [axisOf(call.numbers(1, 'the axis')[0]!, rank + 1)]);
};

/** Values laid along a new axis. */
const pack: TfRule = (call) => {
  const { importer } = call;
  if (call.inputs.length === 0) throw new UserError('packs nothing');
  // Sizes come as single numbers, of whatever shape.
  const single = call.inputs.every((value) => value.kind === 'numbers' && value.data.length === 1);
  const values = single ? call.inputs.map((value) => importer.reshape(value, [])) : call.inputs;
  const rank = single ? 0 : rankOf(call, call.input(0));
  const axis = axisOf(call.number('axis', 0), rank + 1);
  return concatenated(
    importer,
    values.map((value) => importer.unsqueeze(value, [axis])),
    axis,
  );
};

/** The entries of an axis, each by itself. */
const unpack: TfRule = (call) => {
  const { importer } = call;
  const value = call.input(0);
  const axis = axisOf(call.number('axis', 0), rankOf(call, value));
  return Array.from({ length: importer.shape(value)[axis]! }, (_, i) =>
    importer.squeeze(picked(importer, value, axis, [i]), [axis]),
  );
};

const slice: TfRule = (call) => {
  const dims = call.importer.shape(call.input(0));
  const begin = call.numbers(1, 'the beginning');
  const size = call.numbers(2, 'the size');
  return begin.reduce(
    (value: ForeignValue, start, axis) =>
      sliced(call.importer, value, axisOf(axis, dims.length), [
        start,
        size[axis] === -1 ? dims[axis]! : start + size[axis]!,
        1,
      ]),
    call.input(0),
  );
};

const stridedSlice: TfRule = (call) => {
  const { importer } = call;
  const bit = (name: string, i: number): boolean => ((call.number(name, 0) >> i) & 1) === 1;
  const [begins, ends, steps] = [1, 2, 3].map((i) => call.numbers(i, 'the range')) as [
    number[],
    number[],
    number[],
  ];
  const rank = rankOf(call, call.input(0));
  const added = begins.filter((_, i) => bit('new_axis_mask', i)).length;
  const removed: number[] = [];
  let value = call.input(0);
  let axis = 0;
  begins.forEach((given, i) => {
    if (bit('ellipsis_mask', i)) {
      axis += rank - (begins.length - 1 - added);
      return;
    }
    if (bit('new_axis_mask', i)) {
      value = importer.unsqueeze(value, [axis++]);
      return;
    }
    const dim = importer.shape(value)[axisOf(axis, rank + added)]!;
    const step = steps[i]!;
    if (bit('shrink_axis_mask', i)) {
      const at = given < 0 ? given + dim : given;
      value = sliced(importer, value, axis, [at, at + 1, 1]);
      removed.push(axis);
    } else {
      const begin = bit('begin_mask', i) ? (step < 0 ? dim : 0) : given;
      const end = bit('end_mask', i) ? (step < 0 ? Number.MIN_SAFE_INTEGER : dim) : ends[i]!;
      value = sliced(importer, value, axis, [begin, end, step]);
    }
    axis++;
  });
  return removed.length > 0 ? importer.squeeze(value, removed) : value;
};

function parts(call: TfCall, value: ForeignValue, axis: number, sizes: readonly number[]): ForeignValue[] {
  let begin = 0;
  return sizes.map((size) => {
    begin += size;
    return sliced(call.importer, value, axis, [begin - size, begin, 1]);
  });
}

const split: TfRule = (call) => {
  const dims = call.importer.shape(call.input(1));
  const axis = axisOf(call.numbers(0, 'the axis')[0]!, dims.length);
  const count = call.number('num_split', 1);
  if (!(count >= 1) || dims[axis]! % count !== 0)
    throw new UserError(`cuts ${dims[axis]} entries into ${count} parts`);
  return parts(call, call.input(1), axis, new Array<number>(count).fill(dims[axis]! / count));
};

const splitV: TfRule = (call) => {
  const dims = call.importer.shape(call.input(0));
  const axis = axisOf(call.numbers(2, 'the axis')[0]!, dims.length);
  const given = call.numbers(1, 'the sizes');
  const rest = dims[axis]! - given.reduce((sum, size) => sum + Math.max(0, size), 0);
  const sizes = given.map((size) => (size === -1 ? rest : size));
  if (sizes.some((size) => size < 1) || sizes.reduce((a, b) => a + b, 0) !== dims[axis])
    throw new UserError(`cuts ${dims[axis]} entries into parts that are not as many together`);
  return parts(call, call.input(0), axis, sizes);
};

const pad: TfRule = (call) => {
  const numbers = call.numbers(1, 'the padding');
  const rank = rankOf(call, call.input(0));
  if (numbers.length !== 2 * rank)
    throw new UserError(`has ${numbers.length} sizes of a border for ${rank} axes`);
  const pads = Array.from({ length: rank }, (_, axis): [number, number] => [
    numbers[2 * axis]!,
    numbers[2 * axis + 1]!,
  ]);
  const modes: Readonly<Record<string, PadOp['mode']>> = { REFLECT: 'reflect', SYMMETRIC: 'symmetric' };
  const mode =
    call.node.op === 'MirrorPad' ? (modes[call.string('mode', 'REFLECT')] ?? 'reflect') : 'constant';
  const value = call.node.op === 'PadV2' ? call.numbers(2, 'the padding')[0]! : 0;
  return padded(call.importer, call.input(0), pads, mode, value);
};

const reduce =
  (name: ReductionName): TfRule =>
  (call) => {
    const rank = rankOf(call, call.input(0));
    const axes = call.numbers(1, 'the axes').map((axis) => axisOf(axis, rank));
    return reduced(call.importer, call.input(0), name, axes, call.flag('keep_dims'));
  };

const concat: TfRule = (call) => {
  const values = call.inputs.slice(0, -1);
  const rank = rankOf(call, call.input(0));
  return concatenated(call.importer, values, axisOf(call.numbers(-1, 'the axis')[0]!, rank));
};

const gather: TfRule = (call) => {
  const rank = rankOf(call, call.input(0));
  const axis = call.inputs[2] ? call.numbers(2, 'the axis')[0]! : 0;
  return gathered(call.importer, call.input(0), axisOf(axis, rank), call.input(1));
};

const reverse: TfRule = (call) => {
  const { importer } = call;
  const rank = rankOf(call, call.input(0));
  return call.numbers(1, 'the axes').reduce((value: ForeignValue, given) => {
    const axis = axisOf(given, rank);
    const dim = importer.shape(value)[axis]!;
    return picked(
      importer,
      value,
      axis,
      Array.from({ length: dim }, (_, i) => dim - 1 - i),
    );
  }, call.input(0));
};

const range: TfRule = (call) => {
  const [start, limit, step] = [0, 1, 2].map((i) => call.numbers(i, 'a bound')[0]!) as [
    number,
    number,
    number,
  ];
  const integer = call.inputs.every((value) => value.kind !== 'node' && value.integer === true);
  return numberRange(call.importer, [start, limit, step], integer);
};

const fill: TfRule = (call) => {
  const value = call.input(1);
  const integer = value.kind !== 'node' && value.integer === true;
  return constantOfShape(
    call.importer,
    call.numbers(0, 'the shape'),
    call.numbers(1, 'the value')[0]!,
    integer,
  );
};

export const tfLayout: Readonly<Record<string, TfRule>> = {
  Shape: (call) => numbersValue([...call.importer.shape(call.input(0))]),
  Reshape: (call) => call.importer.reshape(call.input(0), call.numbers(1, 'the shape')),
  Squeeze: squeeze,
  ExpandDims: expandDims,
  Transpose: (call) => call.importer.transposeValue(call.input(0), call.numbers(1, 'the permutation')),
  ConcatV2: concat,
  Pack: pack,
  Unpack: unpack,
  Slice: slice,
  StridedSlice: stridedSlice,
  Split: split,
  SplitV: splitV,
  Pad: pad,
  PadV2: pad,
  MirrorPad: pad,
  Mean: reduce('mean'),
  Sum: reduce('sum'),
  Max: reduce('max'),
  Min: reduce('min'),
  Prod: reduce('prod'),
  Gather: gather,
  GatherV2: gather,
  ReverseV2: reverse,
  Range: range,
  Fill: fill,
  Tile: (call) => tiled(call.importer, call.input(0), call.numbers(1, 'the repeats')),
  BroadcastTo: (call) => expanded(call.importer, call.input(0), call.numbers(1, 'the shape')),
};
