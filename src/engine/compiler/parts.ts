/** @file A part of an array, made of parts of what the array is made of. */
import { sizeOf } from '../tensor-spec.js';
import type { Attributes, Graph, GraphNode, Value } from './graph.js';
import { opTable, type PartKind } from './op-table.js';
import { slice } from './rules/shape.js';

/** Part [start, start + size) of one axis. */
export interface Part {
  readonly axis: number;
  readonly start: number;
  readonly size: number;
}

/** What a node takes, if it is a Slice of one axis in steps of one. */
export function takenPart({ op, inputs, outputs }: GraphNode): Part | undefined {
  if (op !== 'Slice') return undefined;
  const { shape } = inputs[0]!;
  const { shape: taken } = outputs[0]!;
  const axis = shape.findIndex((dim, i) => dim !== taken[i]);
  const [starts, , axes, steps] = inputs.slice(1).map((x) => ints(x!));
  if (axis < 0 || axes!.length !== 1 || steps![0] !== 1) return undefined;
  return { axis, start: starts![0]!, size: taken[axis]! };
}

/** The numbers of a constant of int64; none where they are not known. */
export const ints = ({ source }: Value): number[] =>
  source.kind === 'constant' ? Array.from(source.data as BigInt64Array, Number) : [];

/** Parts that have been made, by array: what is read on many paths would be taken apart once a path, exponentially often. */
const madeParts = new WeakMap<Value, Map<string, Value>>();

/** A part of x, made of parts of what x is made of as far as that goes. */
export function partOf(graph: Graph, x: Value, part: Part): Value {
  const ofX = madeParts.get(x) ?? new Map<string, Value>();
  madeParts.set(x, ofX);
  const key = `${part.axis} ${part.start} ${part.size}`;
  const made = ofX.get(key) ?? newPart(graph, x, part);
  ofX.set(key, made);
  return made;
}

function newPart(graph: Graph, x: Value, part: Part): Value {
  if (x.source.kind !== 'node' || x.source.node.outputs.length > 1) return cut(graph, x, part);
  const { op, inputs, attributes } = x.source.node;
  const kind = opTable[op].part;
  if (!kind) return cut(graph, x, part);
  const shape = x.shape.map((dim, axis) => (axis === part.axis ? part.size : dim));
  const of = (input: Value, axis: number) => partOf(graph, input, { ...part, axis });
  const made = partRules[kind]({
    graph,
    x,
    part,
    shape,
    attributes,
    of,
    inputs: inputs as readonly Value[],
    broadcast(input) {
      if (!input) return null;
      const own = part.axis - x.shape.length + input.shape.length;
      return own < 0 || input.shape[own] === 1 ? input : of(input, own);
    },
    again: (...parts) => graph.node(op, parts, shape, x.dtype, attributes),
  });
  return made ?? cut(graph, x, part);
}

function cut(graph: Graph, x: Value, { axis, start, size }: Part): Value {
  return slice(
    graph,
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    x.shape.map((dim, i) => (i === axis ? size : dim)),
  );
}

/** What a rule works with: the array and the node that made it, the part asked, and how to take parts of inputs. */
interface Taking {
  readonly graph: Graph;
  readonly x: Value;
  readonly part: Part;
  /** The part's shape. */
  readonly shape: readonly number[];
  readonly inputs: readonly Value[];
  readonly attributes: Attributes;
  /** The same part of an input, along its own axis. */
  of(input: Value, axis: number): Value;
  /** The part of an input that is broadcast against x. */
  broadcast(input: Value | null | undefined): Value | null;
  /** The same node for other inputs. */
  again(...inputs: (Value | null)[]): Value;
}

/** The part, or undefined where it cannot be made of parts. */
const partRules: Readonly<Record<PartKind, (taking: Taking) => Value | undefined>> = {
  element: ({ inputs, part, of, again }) => again(of(inputs[0]!, part.axis)),
  broadcast: ({ inputs, broadcast, again }) => again(...inputs.map(broadcast)),
  transpose({ graph, inputs, part, attributes, of }) {
    const perm = attributes.perm as readonly number[];
    return graph.transpose(of(inputs[0]!, perm[part.axis]!), perm);
  },
  reshape({ graph, x, inputs, part, shape }) {
    const inner = partBefore(inputs[0]!.shape, x.shape, part);
    return inner && graph.reshape(partOf(graph, inputs[0]!, inner), shape);
  },
  // Axes that are reduced have length one here, so this one is not.
  reduction: ({ inputs, part, of, again }) => again(of(inputs[0]!, part.axis), inputs[1]!),
  'along-axis': ({ inputs, part, attributes, of, again }) =>
    attributes.axis === part.axis ? undefined : again(of(inputs[0]!, part.axis)),
  concat: ({ inputs, part, attributes, of, again }) =>
    attributes.axis === part.axis ? undefined : again(...inputs.map((input) => of(input, part.axis))),
  gather({ inputs: [from, indices], part: { axis }, attributes, of, again }) {
    const first = attributes.axis as number;
    const last = first + indices!.shape.length; // the axes between are those of the indices
    if (axis >= first && axis < last) return undefined;
    return again(of(from!, axis < first ? axis : axis - last + first + 1), indices!);
  },
  slice({ x, inputs: [inner, ...rest], part: { axis }, of, again }) {
    return inner!.shape[axis] === x.shape[axis] ? again(of(inner!, axis), ...rest) : undefined;
  },
  rotary({ graph, x, inputs: [from, ...rest], part: { axis, size }, shape, attributes, of }) {
    if (axis !== 1) return undefined;
    const heads = 'num_heads' in attributes && { num_heads: size };
    const parts = [of(from!, axis), ...rest];
    return graph.node('RotaryEmbedding', parts, shape, x.dtype, { ...attributes, ...heads });
  },
  gemm({ inputs: [a, b, bias], part: { axis }, attributes, of, broadcast, again }) {
    const [rows, columns] = [attributes.transA ? 1 : 0, attributes.transB ? 0 : 1];
    const sides = axis === 0 ? [of(a!, rows), b!] : [a!, of(b!, columns)];
    return again(...sides, ...(bias ? [broadcast(bias)] : []));
  },
  matmul({ x, inputs: [a, b], part: { axis }, attributes, of, broadcast, again }) {
    const rank = x.shape.length;
    if (axis < rank - 2) return again(broadcast(a), broadcast(b));
    const swap = axis === rank - 2 ? attributes.transA : attributes.transB;
    const at = (input: Value) => input.shape.length - rank + (swap ? 2 * rank - 3 - axis : axis);
    return axis === rank - 2 ? again(of(a!, at(a!)), b!) : again(a!, of(b!, at(b!)));
  },
};

/** The part of an array that a part of it in another shape is, if it is one of a single axis. */
export function partBefore(
  inner: readonly number[],
  outer: readonly number[],
  { axis, start, size }: Part,
): Part | undefined {
  const before = sizeOf(outer.slice(0, axis));
  for (let at = 0; at < inner.length; at++) {
    if (sizeOf(inner.slice(0, at)) !== before) continue;
    // The axis may have been one with those that follow it, as heads are with their dimensions.
    for (let end = axis + 1; end <= outer.length; end++) {
      const entries = sizeOf(outer.slice(axis + 1, end));
      if (inner[at] === outer[axis]! * entries)
        return { axis: at, start: start * entries, size: size * entries };
    }
  }
  return undefined;
}
