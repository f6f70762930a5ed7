/**
 * @file Graphs of pictures whose filters are constants. ONNX Runtime lays their channels out in blocks and keeps that layout from
 * one convolution to the next where it knows every node between (its nchwc_transformer.cc). Others cost a pass over memory on
 * either side: here they are written as nodes that it knows, and the rest are made smaller.
 *
 * Pictures are [batch, channel, height, width].
 */
import { sameShape } from '../tensor-spec.js';
import { type Graph, type GraphNode, madeBy, type Traced, type Value } from './graph.js';
import { ints, type Part, takenPart } from './parts.js';
import { reachable } from './reachable.js';
import { rewrite } from './rewrite.js';
import { slice } from './rules/shape.js';

export function inBlocks(traced: Traced): Traced {
  const { graph } = traced;
  const one = (value: Value | undefined) => value && [value];
  const padded = rewrite(traced, (node, [x]) => {
    if (node.op === 'AveragePool') return one(poolOfMore(graph, node, x!));
    return node.op === 'Slice' ? one(poolOfLess(graph, node, x!)) : undefined;
  });
  const parts = partsOfConcats(padded);
  const moved = rewrite(padded, ({ op }, [x, gate]) =>
    op === 'Mul' ? one(movedGate(graph, x!, gate!, parts)) : undefined,
  );
  const isBlocked = blocked();
  return rewrite(moved, ({ op }, [x, gate]) => {
    const sign = op === 'Mul' && isBlocked(x!) ? signOf(gate!) : undefined;
    const fits = sign && isNeverNegative(sign) && isBlocked(sign);
    return fits ? [graph.elementwise('Mul', [x!, steepGate(graph, sign)])] : undefined;
  });
}

// -- gates -----------------------------------------------------------------------------------------------------------

/** What a gate of a picture, 1 where something is positive and else 0, is of: the gradient of a ReLU is a product with one. */
const signOf = (gate: Value): Value | undefined =>
  gate.shape.length === 4 ? madeBy(gate, 'HardSigmoid')?.inputs[0] : undefined;

const gated = (graph: Graph, x: Value, sign: Value): Value =>
  graph.elementwise('Mul', [x, graph.unary('HardSigmoid', sign, { alpha: { f: 1e30 }, beta: { f: 0 } })]);

/** The gate where less is computed with. */
function movedGate(graph: Graph, x: Value, gate: Value, parts: PartsOfConcats): Value | undefined {
  const sign = signOf(gate);
  return sign && (gatedMaxima(graph, x, sign) ?? gatedWhole(graph, x, sign, parts));
}

/**
 * The gradient behind a max pool of `sign`, gated: where a maximum is positive, so is what it is the maximum of, and maxima are
 * fewer.
 *
 * @param shift - by how much x is moved against what the pool read, an axis
 */
function gatedMaxima(graph: Graph, x: Value, sign: Value, shift = [0, 0, 0, 0]): Value | undefined {
  if (x.source.kind !== 'node') return undefined;
  const { op, inputs, attributes } = x.source.node;
  const [first, ...rest] = inputs as Value[];
  const again = (...parts: readonly Value[]) => graph.node(op, parts, x.shape, x.dtype, attributes);
  if (op === 'Pad' || op === 'Slice' || op === 'Reshape') {
    const by = op === 'Reshape' ? [0, 0, 0, 0] : op === 'Pad' && !padsZeros(x) ? undefined : shiftOf(x);
    const inner =
      by &&
      gatedMaxima(
        graph,
        first!,
        sign,
        shift.map((n, axis) => n + by[axis]!),
      );
    return inner && again(inner, ...rest);
  }
  if (op === 'MaxUnpool') {
    const maxima = maximaOf(rest[0]!, sign, shift);
    return maxima && again(gated(graph, first!, maxima), ...rest);
  }
  if (op !== 'ScatterElements') return undefined;
  const [positions, dy] = rest as [Value, Value];
  const maxima = maximaOf(madeBy(positions, 'Reshape')?.inputs[0] ?? positions, sign, shift);
  if (!maxima) return undefined;
  const kept = gated(graph, graph.reshape(dy, maxima.shape), maxima);
  return again(first!, positions, graph.reshape(kept, dy.shape));
}

/** The maxima that a pool took of `sign`, or of as much of it as the shift says, by their positions. */
function maximaOf(positions: Value, sign: Value, shift: readonly number[]): Value | undefined {
  const pool = madeBy(positions, 'MaxPool');
  let read = pool?.inputs[0];
  let left = shift;
  while (read && read !== sign) {
    const by = shiftOf(read);
    left = left.map((n, axis) => n + (by?.[axis] ?? Number.NaN));
    read = by && madeBy(read, read.source.kind === 'node' ? read.source.node.op : 'Pad')?.inputs[0];
  }
  return read && left.every((n) => n === 0) ? pool!.outputs[0] : undefined;
}

/** Where a value is part of a concat of channels: the whole, and from which channel on. */
type PartsOfConcats = ReadonlyMap<Value, { readonly whole: Value; readonly part: Part }>;

function partsOfConcats({ outputs }: Traced): PartsOfConcats {
  const found = new Map<Value, { whole: Value; part: Part }>();
  for (const {
    op,
    inputs,
    attributes,
    outputs: [whole],
  } of reachable(Object.values(outputs)).nodes) {
    if (op !== 'Concat' || attributes.axis !== 1 || whole!.shape.length !== 4) continue;
    let start = 0;
    for (const input of inputs as readonly Value[]) {
      const size = input.shape[1]!;
      found.set(input, { whole: whole!, part: { axis: 1, start, size } });
      start += size;
    }
  }
  return found;
}

/** Branches of a gradient that are gated each: gated together, before the gradient is taken apart. */
function gatedWhole(graph: Graph, x: Value, sign: Value, parts: PartsOfConcats): Value | undefined {
  const known = parts.get(sign);
  const taken = x.source.kind === 'node' ? takenPart(x.source.node) : undefined;
  if (!known || taken?.axis !== 1 || taken.start !== known.part.start) return undefined;
  const whole = madeBy(x, 'Slice')!.inputs[0]!;
  if (!sameShape(whole.shape, known.whole.shape)) return undefined;
  return slice(graph, gated(graph, whole, known.whole), [0, taken.start, 0, 0], x.shape);
}

/** Whether ONNX Runtime has a value in blocks: what comes of convolutions, through nodes that it knows. */
function blocked(): (x: Value) => boolean {
  const known = new Map<Value, boolean>();
  const isBlocked = (x: Value): boolean => {
    const found = known.get(x);
    if (found !== undefined) return found;
    const { op, inputs } = x.source.kind === 'node' ? x.source.node : { op: undefined, inputs: [] };
    const passes = ['Relu', 'Tanh', 'BatchNormalization', 'Concat', 'Add', 'Mul'].includes(op ?? '');
    const pictures = inputs.filter((input) => input?.shape.length === 4);
    const result =
      op === 'Conv' || op === 'AveragePool' || (passes && pictures.every((input) => isBlocked(input!)));
    known.set(x, result);
    return result;
  };
  return isBlocked;
}

function isNeverNegative(x: Value): boolean {
  const concat = madeBy(x, 'Concat');
  return concat ? concat.inputs.every(isNeverNegative) : madeBy(x, 'Relu') !== undefined;
}

/**
 * 1 where x, which has no negative values, is positive: a HardSigmoid is not among the nodes that are known. A convolution of each
 * channel by itself is, with a Clip as part of it.
 */
function steepGate(graph: Graph, x: Value): Value {
  const channels = x.shape[1]!;
  const steep = graph.node(
    'Conv',
    [x, graph.splat(1e30, [channels, 1, 1, 1], 'float32')],
    x.shape,
    'float32',
    { kernel_shape: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: channels },
  );
  const [low, high] = [0, 1].map((value) => graph.splat(value, [], 'float32'));
  return graph.elementwise('Clip', [steep, low!, high!]);
}

// -- borders ---------------------------------------------------------------------------------------------------------

/** By how much a Slice in steps of one, or a Pad, moves a picture, an axis; undefined for other nodes. */
function shiftOf(x: Value): number[] | undefined {
  const cut = madeBy(x, 'Slice');
  if (cut) {
    const [starts, , axes, steps] = cut.inputs.slice(1).map((input) => ints(input!));
    if (steps!.some((step) => step !== 1)) return undefined;
    return x.shape.map((_, axis) => -(starts![axes!.indexOf(axis)] ?? 0));
  }
  const padded = madeBy(x, 'Pad');
  return padded?.attributes.mode === 'constant'
    ? ints(padded.inputs[1]!).slice(0, x.shape.length)
    : undefined;
}

function padsZeros(x: Value): boolean {
  const fill = madeBy(x, 'Pad')?.inputs[2];
  return fill?.source.kind === 'splat' && fill.source.value === 0;
}

/** An average of a picture with zeros around it: they are the pool's own padding, which counts. */
function poolOfMore(graph: Graph, pool: GraphNode, x: Value): Value | undefined {
  const shift = padsZeros(x) ? shiftOf(x) : undefined;
  const inner = shift && madeBy(x, 'Pad')!.inputs[0]!;
  const counts = pool.attributes.count_include_pad === 1 || padsOf(pool).every((pad) => pad === 0);
  if (!inner || !counts || !sameShape(inner.shape.slice(0, 2), x.shape.slice(0, 2))) return undefined;
  const [top, left] = padsOf(pool);
  return padded(graph, pool, inner, [top! + shift[2]!, left! + shift[3]!], pool.outputs[0]!.shape);
}

/** A part of the averages of every window: those of a pool with less padding. */
function poolOfLess(graph: Graph, cut: GraphNode, x: Value): Value | undefined {
  const pool = x.source.kind === 'node' ? x.source.node : undefined;
  const shift =
    pool?.op === 'AveragePool' && pool.attributes.count_include_pad === 1
      ? shiftOf(cut.outputs[0]!)
      : undefined;
  const { shape } = cut.outputs[0]!;
  if (!pool || !shift || !sameShape(shape.slice(0, 2), x.shape.slice(0, 2))) return undefined;
  if (!sameShape(pool.attributes.strides as number[], [1, 1])) return undefined;
  const [top, left] = padsOf(pool);
  return padded(graph, pool, pool.inputs[0]!, [top! + shift[2]!, left! + shift[3]!], shape);
}

const padsOf = ({ attributes }: GraphNode) => attributes.pads as readonly number[];

/** The pool with other padding before the picture, and as much after it as the shape of its averages needs. */
function padded(
  graph: Graph,
  { attributes }: GraphNode,
  x: Value,
  before: readonly number[],
  shape: readonly number[],
): Value | undefined {
  const kernel = attributes.kernel_shape as readonly number[];
  const strides = attributes.strides as readonly number[];
  const after = before.map(
    (pad, axis) => (shape[2 + axis]! - 1) * strides[axis]! + kernel[axis]! - x.shape[2 + axis]! - pad,
  );
  const pads = [...before, ...after];
  if (pads.some((pad, i) => pad < 0 || pad >= kernel[i % 2]!)) return undefined;
  return graph.node('AveragePool', [x], shape, x.dtype, { ...attributes, pads, count_include_pad: 1 });
}
