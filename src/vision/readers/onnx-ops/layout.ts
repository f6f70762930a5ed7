/** @file ONNX operators that move numbers, and those that work out shapes while reading. */
import { UserError } from '../../../core/errors.js';
import type { ReduceOp } from '../../layers/op.js';
import { clipped, limits, shown } from '../../limits.js';
import { type NumbersValue, numbersValue, type Value } from '../values.js';
import { type OnnxCall, type OnnxRule, swappedAxes } from './context.js';

const shape: OnnxRule = (call) => {
  const dims = call.importer.shape(call.input(0));
  return numbersValue(dims.slice(call.int('start', 0), call.int('end', dims.length)));
};

const constant: OnnxRule = (call) => {
  const tensor = call.tensor('value');
  if (tensor) return call.constant(tensor);
  const list = call.ints('value_ints') ?? call.floats('value_floats');
  if (list) return numbersValue(list);
  if (call.has('value_int')) return numbersValue([call.int('value_int', 0)], []);
  if (call.has('value_float')) return numbersValue([call.float('value_float', 0)], []);
  throw new UserError('holds no numbers');
};

const constantOfShape: OnnxRule = (call) => {
  const dims = call.importer.numbers(call.input(0), 'the shape');
  const tensor = call.tensor('value');
  const value = tensor ? call.oneNumber(call.constant(tensor), 'the value') : 0;
  const size = dims.reduce((a, b) => a * b, 1);
  if (!(size <= limits.numbers) || !dims.every((dim) => Number.isInteger(dim) && dim >= 0))
    throw new UserError(
      `makes a constant of [${shown(dims)}]: at most ${limits.numbers} numbers are supported`,
    );
  return numbersValue(new Array<number>(size).fill(value), dims);
};

const reshape: OnnxRule = (call) => {
  const dims = call.importer.shape(call.input(0));
  const wanted = call.list('shape', 1) ?? [];
  const copied = wanted.map((dim, i) => (dim === 0 && call.int('allowzero', 0) === 0 ? dims[i]! : dim));
  return call.importer.reshape(call.input(0), copied);
};

const flatten: OnnxRule = (call) => {
  const dims = call.importer.shape(call.input(0));
  const axis = call.int('axis', 1);
  if (call.axis(axis, dims.length + 1) !== 1)
    throw new UserError(`flattens from axis ${axis}: only 1 is supported`);
  return call.importer.reshape(call.input(0), [dims[0]!, dims.slice(1).reduce((a, b) => a * b, 1)]);
};

const squeeze: OnnxRule = (call) => {
  const dims = call.importer.shape(call.input(0));
  const axes = (call.list('axes', 1) ?? dims.flatMap((dim, i) => (dim === 1 ? [i] : []))).map((axis) =>
    call.axis(axis, dims.length),
  );
  return call.importer.reshape(
    call.input(0),
    dims.filter((_, i) => !axes.includes(i)),
  );
};

const unsqueeze: OnnxRule = (call) => {
  const dims = call.importer.shape(call.input(0));
  const given = call.list('axes', 1) ?? [];
  const axes = given.map((axis) => call.axis(axis, dims.length + given.length)).sort((a, b) => a - b);
  const wanted = [...dims];
  for (const axis of axes) wanted.splice(axis, 0, 1);
  return call.importer.reshape(call.input(0), wanted);
};

const transpose: OnnxRule = (call) => {
  const rank = call.importer.shape(call.input(0)).length;
  const reversed = Array.from({ length: rank }, (_, i) => rank - 1 - i);
  return call.importer.transposeValue(call.input(0), call.ints('perm') ?? reversed);
};

const concat: OnnxRule = (call) => {
  const { importer } = call;
  const values = call.inputs.map((_, i) => call.input(i));
  if (values.every((value): value is NumbersValue => value.kind === 'numbers')) {
    return numbersValue(values.flatMap((value) => value.data));
  }
  const rank = importer.shape(values[0]!).length;
  const axis = call.axis(call.int('axis', 1), rank);
  const swapped = values.some((value) => value.kind === 'node' && value.swapped);
  if (swapped && rank !== 4) throw new UserError(`joins an image and an array of ${rank} axes`);
  const nodes = values.map((value) => (swapped ? importer.asImage(value) : importer.asPlain(value)));
  const node = importer.graph.add({ kind: 'concat', axis: swapped ? swappedAxes[axis]! : axis }, ...nodes);
  return { kind: 'node', node, swapped };
};

/** Entries of one axis. */
function sliceValue(
  call: OnnxCall,
  value: Value,
  axis: number,
  begin: number,
  end: number,
  step: number,
): Value {
  if (!(step >= 1)) throw new UserError(`slices with a step of ${step}, which is not supported`);
  if (value.kind === 'numbers') {
    const kept = value.data.slice(begin, end).filter((_, i) => i % step === 0);
    return numbersValue(kept);
  }
  const { node, swapped } = call.importer.held(value);
  const held = swapped ? swappedAxes[axis]! : axis;
  const all = begin === 0 && step === 1 && end >= call.importer.shape(value)[axis]!;
  return all
    ? value
    : {
        kind: 'node',
        swapped,
        node: call.importer.graph.add({ kind: 'slice', axis: held, begin, end, step }, node),
      };
}

const slice: OnnxRule = (call) => {
  const starts = call.list('starts', 1) ?? [];
  const ends = call.list('ends', 2) ?? [];
  const axes = call.list('axes', 3) ?? starts.map((_, i) => i);
  const steps = call.list('steps', 4) ?? starts.map(() => 1);
  const rank = call.importer.shape(call.input(0)).length;
  if ([starts, ends, steps].some(({ length }) => length !== axes.length))
    throw new UserError(`slices ${axes.length} axes from ${starts.length} places to ${ends.length}`);
  return axes.reduce(
    (value: Value, axis, i) =>
      sliceValue(call, value, call.axis(axis, rank), starts[i]!, ends[i]!, steps[i]!),
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
    const part = sliceValue(call, value, axis, begin, begin + size, 1);
    begin += size;
    return part;
  });
};

function entry(numbers: readonly number[], i: number): number {
  const found = numbers.at(i);
  if (found === undefined) throw new UserError(`picks entry ${i} of ${numbers.length}`);
  return found;
}

/** Sizes by number, or one entry of an axis of an activation. */
const gather: OnnxRule = (call) => {
  const { importer } = call;
  const value = call.input(0);
  const indices = call.input(1);
  const chosen = importer.numbers(indices, 'the indices');
  const dims = importer.shape(value);
  const axis = call.axis(call.int('axis', 0), dims.length);
  if (value.kind === 'numbers' && dims.length <= 1) {
    return numbersValue(
      chosen.map((i) => entry(value.data, i)),
      importer.shape(indices),
    );
  }
  if (chosen.length !== 1)
    throw new UserError('picks several entries of an activation, which is not supported');
  const at = chosen[0]! < 0 ? chosen[0]! + dims[axis]! : chosen[0]!;
  const one = sliceValue(call, value, axis, at, at + 1, 1);
  const kept = importer.shape(indices).length === 0 ? [] : [1];
  return importer.reshape(one, [...dims.slice(0, axis), ...kept, ...dims.slice(axis + 1)]);
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
  if (rank !== 4) {
    if (mode !== 'constant') throw new UserError(`mirrors the border of an array of ${rank} axes`);
    return importer.plain(
      importer.graph.add({ kind: 'pad', pads, mode, value }, importer.asPlain(call.input(0))),
    );
  }
  const [batch, channel, rows, columns] = pads;
  const held = [batch!, rows!, columns!, channel!];
  if (mode !== 'constant' && [...batch!, ...channel!].some((n) => n !== 0)) {
    throw new UserError('mirrors the border between channels, which is not supported');
  }
  const node = importer.graph.add({ kind: 'pad', pads: held, mode, value }, importer.asImage(call.input(0)));
  return { kind: 'node', node, swapped: true };
};

const reduce =
  (name: ReduceOp['name']): OnnxRule =>
  (call) => {
    const { importer } = call;
    const rank = importer.shape(call.input(0)).length;
    const given = call.list('axes', 1);
    const axes = (given ?? Array.from({ length: rank }, (_, i) => i)).map((axis) => call.axis(axis, rank));
    if (axes.includes(0)) throw new UserError('reduces over the batch, which is not supported');
    const keepDims = call.int('keepdims', 1) === 1;
    const x = importer.held(call.input(0));
    // Without its two spatial axes an image is [batch, channel] in either layout.
    const spatial = axes.length === 2 && axes.includes(2) && axes.includes(3);
    if (x.swapped && (keepDims || spatial)) {
      const held = axes.map((axis) => swappedAxes[axis]!);
      const node = importer.graph.add({ kind: 'reduce', name, axes: held, keepDims }, x.node);
      return { kind: 'node', node, swapped: keepDims };
    }
    return importer.plain(importer.graph.add({ kind: 'reduce', name, axes, keepDims }, importer.asPlain(x)));
  };

export const layout: Readonly<Record<string, OnnxRule>> = {
  Shape: shape,
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Reshape: reshape,
  Flatten: flatten,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
  Concat: concat,
  Slice: slice,
  Split: split,
  Gather: gather,
  Pad: pad,
  ReduceMean: reduce('mean'),
  ReduceSum: reduce('sum'),
  ReduceMax: reduce('max'),
};
