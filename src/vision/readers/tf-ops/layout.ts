/** @file TensorFlow operations that move numbers, and those that work out shapes while reading. */
import { UserError } from '../../../core/errors.js';
import type { ReduceOp } from '../../layers/op.js';
import { type NumbersValue, numbersValue, type Value } from '../values.js';
import { axisOf, type TfCall, type TfRule } from './context.js';

const reshape: TfRule = (call) => call.importer.reshape(call.input(0), call.numbers(1, 'the shape'));

const squeeze: TfRule = (call) => {
  const dims = call.importer.shape(call.input(0));
  const given = call.ints('squeeze_dims') ?? call.ints('axis') ?? [];
  const axes =
    given.length > 0
      ? given.map((axis) => axisOf(axis, dims.length))
      : dims.flatMap((dim, i) => (dim === 1 && i > 0 ? [i] : []));
  return call.importer.reshape(
    call.input(0),
    dims.filter((_, i) => !axes.includes(i)),
  );
};

const expandDims: TfRule = (call) => {
  const dims = [...call.importer.shape(call.input(0))];
  dims.splice(axisOf(call.numbers(1, 'the axis')[0]!, dims.length + 1), 0, 1);
  return call.importer.reshape(call.input(0), dims);
};

function concatenated(call: TfCall, values: readonly Value[], axis: number): Value {
  const { importer } = call;
  if (values.every((value): value is NumbersValue => value.kind === 'numbers')) {
    return numbersValue(values.flatMap((value) => value.data));
  }
  const rank = importer.shape(values[0]!).length;
  return importer.plain(
    importer.graph.add(
      { kind: 'concat', axis: axisOf(axis, rank) },
      ...values.map((value) => importer.asPlain(value)),
    ),
  );
}

const pack: TfRule = (call) => {
  if (!call.inputs.every((value) => value.kind === 'numbers')) {
    throw new UserError('stacks activations, which is not supported');
  }
  return concatenated(call, call.inputs, 0);
};

function sliceAxis(call: TfCall, value: Value, axis: number, begin: number, end: number, step = 1): Value {
  if (!(step >= 1)) throw new UserError(`slices with a step of ${step}, which is not supported`);
  if (value.kind === 'numbers')
    return numbersValue(value.data.slice(begin, end).filter((_, i) => i % step === 0));
  const dims = call.importer.shape(value);
  const dim = dims[axisOf(axis, dims.length)]!;
  if (begin === 0 && step === 1 && end >= dim) return value;
  return call.importer.plain(
    call.importer.graph.add({ kind: 'slice', axis, begin, end, step }, call.importer.asPlain(value)),
  );
}

const slice: TfRule = (call) => {
  const dims = call.importer.shape(call.input(0));
  const begin = call.numbers(1, 'the beginning');
  const size = call.numbers(2, 'the size');
  return begin.reduce(
    (value: Value, start, axis) =>
      sliceAxis(call, value, axis, start, size[axis] === -1 ? dims[axis]! : start + size[axis]!),
    call.input(0),
  );
};

const stridedSlice: TfRule = (call) => {
  const dims = call.importer.shape(call.input(0));
  for (const mask of ['ellipsis_mask', 'new_axis_mask']) {
    if (call.number(mask, 0) !== 0) throw new UserError(`slices with ${mask}, which is not supported`);
  }
  const bit = (name: string, axis: number): boolean => ((call.number(name, 0) >> axis) & 1) === 1;
  const [begins, ends, steps] = [1, 2, 3].map((i) => call.numbers(i, 'the range')) as [
    number[],
    number[],
    number[],
  ];
  let value = call.input(0);
  begins.forEach((given, axis) => {
    const begin = bit('begin_mask', axis) ? 0 : given;
    const one = bit('shrink_axis_mask', axis);
    const start = begin < 0 ? begin + dims[axis]! : begin;
    const end = one ? start + 1 : bit('end_mask', axis) ? dims[axis]! : ends[axis]!;
    value = sliceAxis(call, value, axis, start, end, steps[axis]!);
  });
  const kept = call.importer.shape(value).filter((_, axis) => !bit('shrink_axis_mask', axis));
  return kept.length === call.importer.shape(value).length ? value : call.importer.reshape(value, kept);
};

function parts(call: TfCall, value: Value, axis: number, sizes: readonly number[]): Value[] {
  let begin = 0;
  return sizes.map((size) => {
    begin += size;
    return sliceAxis(call, value, axis, begin - size, begin);
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
  const sizes = call.numbers(1, 'the sizes');
  if (sizes.some((size) => size < 1) || sizes.reduce((a, b) => a + b, 0) !== dims[axis])
    throw new UserError(`cuts ${dims[axis]} entries into parts that are not as many together`);
  return parts(call, call.input(0), axis, sizes);
};

const pad: TfRule = (call) => {
  const numbers = call.numbers(1, 'the padding');
  const rank = call.importer.shape(call.input(0)).length;
  if (numbers.length !== 2 * rank)
    throw new UserError(`has ${numbers.length} sizes of a border for ${rank} axes`);
  const pads = Array.from({ length: rank }, (_, axis): [number, number] => [
    numbers[2 * axis]!,
    numbers[2 * axis + 1]!,
  ]);
  const mirrored = call.node.op === 'MirrorPad';
  const mode = !mirrored
    ? 'constant'
    : call.string('mode', 'REFLECT') === 'REFLECT'
      ? 'reflect'
      : 'symmetric';
  const value = call.node.op === 'PadV2' ? call.numbers(2, 'the padding')[0]! : 0;
  if (mirrored && (pads.length !== 4 || [...pads[0]!, ...pads[3]!].some((n) => n !== 0))) {
    throw new UserError('mirrors the border of something that is no image, which is not supported');
  }
  return call.importer.plain(call.importer.graph.add({ kind: 'pad', pads, mode, value }, call.at(0)));
};

const reduce =
  (name: ReduceOp['name']): TfRule =>
  (call) => {
    const rank = call.importer.shape(call.input(0)).length;
    const axes = call.numbers(1, 'the axes').map((axis) => axisOf(axis, rank));
    if (axes.includes(0)) throw new UserError('reduces over the batch, which is not supported');
    const op = { kind: 'reduce', name, axes, keepDims: call.flag('keep_dims') } as const;
    return call.importer.plain(call.importer.graph.add(op, call.at(0)));
  };

/** The product of sizes. */
const product: TfRule = (call) =>
  numbersValue([call.numbers(0, 'the sizes').reduce((a, b) => a * b, 1)], call.flag('keep_dims') ? [1] : []);

function entry(numbers: readonly number[], i: number): number {
  const found = numbers.at(i);
  if (found === undefined) throw new UserError(`picks entry ${i} of ${numbers.length}`);
  return found;
}

const gather: TfRule = (call) => {
  const numbers = call.numbers(0, 'the sizes');
  const indices = call.input(1);
  return numbersValue(
    call.numbers(1, 'the indices').map((i) => entry(numbers, i)),
    call.importer.shape(indices),
  );
};

export const layout: Readonly<Record<string, TfRule>> = {
  Shape: (call) => numbersValue([...call.importer.shape(call.input(0))]),
  Reshape: reshape,
  Squeeze: squeeze,
  ExpandDims: expandDims,
  Transpose: (call) => call.importer.transposeValue(call.input(0), call.numbers(1, 'the permutation')),
  ConcatV2: (call) => concatenated(call, call.inputs.slice(0, -1), call.numbers(-1, 'the axis')[0]!),
  Pack: pack,
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
  Prod: product,
  GatherV2: gather,
};
