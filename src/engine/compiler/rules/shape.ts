/** @file Kernels that move elements about. */
import * as tf from '../../functions/tfjs.js';
import { sameShape, sizeOf } from '../../tensor-spec.js';
import { type Graph, madeBy, type Value } from '../graph.js';
import type { Rules } from './kernels.js';

/** x[starts : ends : steps] with one entry an axis. Moves up through transposes. */
export function slice(
  graph: Graph,
  x: Value,
  starts: readonly number[],
  sizes: readonly number[],
  steps = starts.map(() => 1),
): Value {
  if (sameShape(x.shape, sizes) && steps.every((step) => step === 1)) return x;
  if (x.source.kind === 'splat') return graph.splat(x.source.value, sizes, x.dtype);
  const moved = madeBy(x, 'Transpose');
  if (moved) {
    const perm = moved.attributes.perm as readonly number[];
    const back = <T>(list: readonly T[]) => perm.map((_, axis) => list[perm.indexOf(axis)]!);
    return graph.transpose(slice(graph, moved.inputs[0]!, back(starts), back(sizes), back(steps)), perm);
  }
  const touched = starts
    .map((_, axis) => axis)
    .filter((axis) => sizes[axis] !== x.shape[axis] || steps[axis] !== 1);
  const ends = starts.map((start, axis) => {
    const end = start + sizes[axis]! * steps[axis]!;
    // A reversed slice that reaches the first element must end before it: any large negative number says so.
    return end < 0 ? -(2 ** 31) : end;
  });
  const pick = (list: readonly number[]) => graph.ints(touched.map((axis) => list[axis]!));
  return graph.node('Slice', [x, pick(starts), pick(ends), graph.ints(touched), pick(steps)], sizes, x.dtype);
}

/** Of an axis. */
export const NO_PADDING = [0, 0] as const;

export function pad(
  graph: Graph,
  x: Value,
  paddings: readonly (readonly [number, number])[],
  value = 0,
  mode = 'constant',
): Value {
  const moved = madeBy(x, 'Transpose');
  if (moved) {
    const perm = moved.attributes.perm as readonly number[];
    const back = perm.map((_, axis) => paddings[perm.indexOf(axis)]!);
    return graph.transpose(pad(graph, moved.inputs[0]!, back, value, mode), perm);
  }
  return padHere(graph, x, paddings, value, mode);
}

/** The node of a pad: for arrays whose axes are to stay in their order. Negative paddings cut. */
export function padHere(
  graph: Graph,
  x: Value,
  paddings: readonly (readonly [number, number])[],
  value = 0,
  mode = 'constant',
): Value {
  if (paddings.every(([before, after]) => before === 0 && after === 0)) return x;
  const shape = x.shape.map((dim, axis) => dim + paddings[axis]![0] + paddings[axis]![1]);
  const pads = graph.ints([...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)]);
  const inputs = mode === 'constant' ? [x, pads, graph.splat(value, [], x.dtype)] : [x, pads];
  return graph.node('Pad', inputs, shape, x.dtype, { mode });
}

export function concat(graph: Graph, inputs: readonly Value[], axis: number): Value {
  const parts = inputs.filter((x) => x.shape[axis] !== 0);
  if (parts.length === 1) return parts[0]!;
  const first = parts[0]!;
  const shape = first.shape.map((dim, i) =>
    i === axis ? parts.reduce((sum, x) => sum + x.shape[i]!, 0) : dim,
  );
  const perms = parts.map((x) => madeBy(x, 'Transpose')?.attributes.perm as readonly number[] | undefined);
  const perm = perms[0];
  if (perm && perms.every((other) => other && sameShape(other, perm))) {
    const inner = parts.map((x) => madeBy(x, 'Transpose')!.inputs[0]!);
    return graph.transpose(concat(graph, inner, perm[axis]!), perm);
  }
  return graph.node('Concat', parts, shape, first.dtype, { axis });
}

function split(graph: Graph, x: Value, axis: number, sizes: readonly number[]): Value[] {
  let start = 0;
  return sizes.map((size) => {
    const starts = x.shape.map((_, i) => (i === axis ? start : 0));
    start += size;
    return slice(
      graph,
      x,
      starts,
      x.shape.map((dim, i) => (i === axis ? size : dim)),
    );
  });
}

function reverse(graph: Graph, x: Value, dims: readonly number[]): Value {
  const starts = x.shape.map((dim, axis) => (dims.includes(axis) ? dim - 1 : 0));
  const steps = x.shape.map((_, axis) => (dims.includes(axis) ? -1 : 1));
  return slice(graph, x, starts, x.shape, steps);
}

/**
 * Sums rows of `updates` [row, ...] into a zero array at `ids` [row]; equal ids add up. (ScatterND with a
 * reduction would say the same, but ONNX Runtime runs it on several threads without locks and loses sums.)
 */
function scatterAdd(graph: Graph, ids: Value, updates: Value, shape: readonly number[]): Value {
  const rows = sizeOf(ids.shape);
  const inner = sizeOf(shape.slice(1));
  const zeros = graph.broadcast(graph.splat(0, [], updates.dtype), [shape[0]!, inner]);
  const index = graph.broadcast(graph.cast(graph.reshape(ids, [rows, 1]), 'int64'), [rows, inner]);
  const sums = graph.node(
    'ScatterElements',
    [zeros, index, graph.reshape(updates, [rows, inner])],
    [shape[0]!, inner],
    updates.dtype,
    { axis: 0, reduction: 'add' },
  );
  return graph.reshape(sums, shape);
}

/** True for the list 0, 1, … size - 1: gathering by it is no computation. */
function isEveryIndex({ shape, source }: Value, size: number): boolean {
  if (shape.length !== 1 || shape[0] !== size || source.kind !== 'constant') return false;
  return (source.data as Int32Array).every((index, i) => index === i);
}

/** Entries of an axis by their indices. */
export function gather(graph: Graph, x: Value, indices: Value, axis: number): Value {
  if (isEveryIndex(indices, x.shape[axis]!)) return x;
  const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
  return graph.node('Gather', [x, indices], shape, x.dtype, { axis });
}

const positive = (axis: number, rank: number) => (axis < 0 ? axis + rank : axis);
const drop = (shape: readonly number[], axis: number) => shape.filter((_, i) => i !== axis);
const insert = (shape: readonly number[], axis: number) => [...shape.slice(0, axis), 1, ...shape.slice(axis)];

export const shapeRules = {
  Reshape: (graph, { x }, { shape }) =>
    graph.reshape(x, tf.util.inferFromImplicitShape(shape, sizeOf(x.shape))),
  ExpandDims: (graph, { input }, { dim }) =>
    graph.reshape(input, insert(input.shape, positive(dim, input.shape.length + 1))),
  Transpose: (graph, { x }, { perm }) => graph.transpose(x, perm),
  BroadcastTo: (graph, { x }, { shape }) => graph.broadcast(x, shape),
  Tile: (graph, { x }, { reps }) => {
    const shape = x.shape.map((dim, axis) => dim * reps[axis]!);
    if (x.shape.every((dim, axis) => dim === 1 || reps[axis] === 1)) return graph.broadcast(x, shape);
    return graph.node('Tile', [x, graph.ints(reps)], shape, x.dtype);
  },
  Concat: (graph, inputs, { axis }) =>
    concat(graph, inputs as Value[], positive(axis, inputs[0]!.shape.length)),
  Pack: (graph, inputs, { axis }) => {
    const parts = inputs;
    const at = positive(axis, parts[0]!.shape.length + 1);
    return concat(
      graph,
      parts.map((x) => graph.reshape(x, insert(x.shape, at))),
      at,
    );
  },
  Unpack: (graph, { value }, { axis }) => {
    const at = positive(axis, value.shape.length);
    const rows = split(graph, value, at, Array<number>(value.shape[at]!).fill(1));
    return rows.map((row) => graph.reshape(row, drop(value.shape, at)));
  },
  SplitV: (graph, { x }, { numOrSizeSplits, axis }) => {
    const at = positive(axis, x.shape.length);
    return split(
      graph,
      x,
      at,
      tf.backend_util.prepareSplitSize({ shape: [...x.shape] } as tf.Tensor, numOrSizeSplits, at),
    );
  },
  Slice: (graph, { x }, { begin, size }) => {
    const [starts, sizes] = tf.slice_util.parseSliceParams(
      { shape: [...x.shape], rank: x.shape.length } as unknown as tf.Tensor,
      begin,
      size,
    );
    return slice(graph, x, starts!, sizes!);
  },
  StridedSlice: (graph, { x }, a) => {
    const info = tf.slice_util.sliceInfo(
      [...x.shape],
      a.begin,
      a.end,
      a.strides,
      a.beginMask,
      a.endMask,
      a.ellipsisMask,
      a.newAxisMask,
      a.shrinkAxisMask,
    );
    return graph.reshape(slice(graph, x, info.begin, info.finalShapeSparse, info.strides), info.finalShape);
  },
  Reverse: (graph, { x }, { dims }) =>
    reverse(
      graph,
      x,
      [dims].flat().map((axis) => positive(axis, x.shape.length)),
    ),
  PadV2: (graph, { x }, { paddings, constantValue }) => pad(graph, x, paddings, constantValue),
  MirrorPad: (graph, { x }, { paddings, mode }) => {
    if (mode === 'symmetric') throw new Error("MirrorPad with mode 'symmetric' has no ONNX operation");
    return pad(graph, x, paddings, 0, 'reflect');
  },
  Fill: (graph, _inputs, { shape, value, dtype }) =>
    graph.splat(Number(value), shape, (dtype ?? 'float32') as 'float32'),
  Range: (graph, _inputs, { start, stop, step, dtype }) => {
    const values = Array.from(
      { length: Math.max(0, Math.ceil((stop - start) / step)) },
      (_, i) => start + i * step,
    );
    return graph.constant(
      dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values),
      [values.length],
      dtype,
    );
  },
  OneHot: (graph, { indices }, { depth, onValue, offValue, dtype }) => {
    const values = graph.constant(Float32Array.of(offValue, onValue), [2], 'float32');
    const hot = graph.node(
      'OneHot',
      [graph.cast(indices, 'int64'), graph.ints([depth]), values],
      [...indices.shape, depth],
      'float32',
      { axis: -1 },
    );
    return graph.cast(hot, (dtype ?? 'float32') as 'float32');
  },
  GatherV2: (graph, { x, indices }, { axis, batchDims }) => {
    const at = positive(axis, x.shape.length);
    if (batchDims === 0 || isEveryIndex(indices, x.shape[at]!)) return gather(graph, x, indices, at);
    const shape = [...x.shape.slice(0, at), ...indices.shape.slice(batchDims), ...x.shape.slice(at + 1)];
    if (batchDims !== at)
      throw new Error(`GatherV2 with batchDims ${batchDims} along axis ${at} has no ONNX operation`);
    const pointers = graph.cast(graph.reshape(indices, [...indices.shape, 1]), 'int64');
    return graph.node('GatherND', [x, pointers], shape, x.dtype, { batch_dims: batchDims });
  },
  ScatterNd: (graph, { indices, updates }, { shape }) => {
    if (indices.shape.at(-1) !== 1) throw new Error('ScatterNd is traced for indices of one axis only');
    return scatterAdd(graph, indices, updates, shape);
  },
  UnsortedSegmentSum: (graph, { x, segmentIds }, { numSegments }) =>
    scatterAdd(graph, segmentIds, x, [numSegments, ...x.shape.slice(segmentIds.shape.length)]),
} satisfies Partial<Rules>;
