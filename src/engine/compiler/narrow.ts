/**
 * @file Computing only what is used: where a small part of an array is all that is read of it, the part is made from
 * parts of what the array is made of, down to a slice of the weights. One neuron needs one column of the up
 * projection; one head its own queries, keys and values; and their gradients touch no other.
 */

import { sizeOf } from '../tensor-spec.js';
import {
  dependsOnWeightsAlone,
  type Graph,
  type GraphNode,
  multiplications,
  reachable,
  type Traced,
  type Value,
} from './graph.js';
import { rewrite } from './rewrite.js';
import { slice } from './rules/shape.js';

/** Part [start, start + size) of one axis. */
interface Part {
  readonly axis: number;
  readonly start: number;
  readonly size: number;
}

/** Parts of at most one in so many are worth the trouble. */
const THIN = 4;

/** Moves slices up and zero padding down wherever that leaves less to compute. */
export function narrow(traced: Traced): Traced {
  const { graph } = traced;
  let best = traced;
  let cost = operations(traced);
  const attempt = (next: Traced) => {
    const nextCost = operations(next);
    if (nextCost < cost) [best, cost] = [next, nextCost];
  };
  const movingUp = (chosen: readonly GraphNode[]) =>
    rewrite(best, (node, inputs) => {
      const part = chosen.includes(node) ? thinPart(node) : undefined;
      return part && [partOf(graph, inputs[0]!, part)];
    });
  attempt(rewrite(best, (node, inputs) => withoutPadding(graph, node, inputs)));
  const groups = thinSlices(best);
  // Together first: each alone may gain nothing where what they take is made of the same.
  attempt(movingUp(groups.flat()));
  if (groups.length > 1) for (const group of groups) attempt(movingUp(group));
  return best;
}

/** Multiplications of the products, and a pass over the elements of everything else. */
function operations({ outputs }: Traced): number {
  const values = Object.values(outputs);
  const fixed = dependsOnWeightsAlone(values);
  const costs = reachable(values).nodes.map((node) => {
    const [output] = node.outputs;
    if (fixed.has(output!) || node.op === 'Reshape') return 0;
    return multiplications(node) ?? sizeOf(output!.shape);
  });
  return costs.reduce((sum, x) => sum + x, 0);
}

/** Slices by the array they take from, where all of them together are a thin part of it. */
function thinSlices({ outputs }: Traced): GraphNode[][] {
  const bySource = new Map<Value, GraphNode[]>();
  for (const node of reachable(Object.values(outputs)).nodes) {
    const source = thinPart(node) && node.inputs[0]!;
    if (source) bySource.set(source, [...(bySource.get(source) ?? []), node]);
  }
  return [...bySource].flatMap(([source, slices]) => {
    const taken = slices.reduce((sum, { outputs: [output] }) => sum + sizeOf(output!.shape), 0);
    return taken * THIN <= sizeOf(source.shape) ? [slices] : [];
  });
}

/** What a node takes, if it is a Slice of a thin part of one axis. */
function thinPart({ op, inputs, outputs }: GraphNode): Part | undefined {
  if (op !== 'Slice') return undefined;
  const { shape } = inputs[0]!;
  const { shape: taken } = outputs[0]!;
  const axis = shape.findIndex((dim, i) => dim !== taken[i]);
  const [starts, , axes, steps] = inputs.slice(1).map((x) => ints(x!));
  if (axis < 0 || axes!.length !== 1 || steps![0] !== 1 || taken[axis]! * THIN > shape[axis]!)
    return undefined;
  return { axis, start: starts![0]!, size: taken[axis]! };
}

const ints = ({ source }: Value) =>
  source.kind === 'constant' ? Array.from(source.data as BigInt64Array, Number) : [];

// -- slices ----------------------------------------------------------------------------------------------------

/** Functions of one element. */
const unary = new Set(
  'Abs Cast Erf Exp FastGelu Gelu Log Neg QuickGelu Reciprocal Relu Sigmoid Sqrt Tanh'.split(' '),
);
/** Functions of elements at the same place, broadcast. */
const elementwise = new Set('Add Div Equal Greater Less Max Min Mul Pow Sub Where'.split(' '));

function cut(graph: Graph, x: Value, { axis, start, size }: Part): Value {
  return slice(
    graph,
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    x.shape.map((dim, i) => (i === axis ? size : dim)),
  );
}

/** A part of x, made of parts of what x is made of as far as that goes. */
function partOf(graph: Graph, x: Value, part: Part): Value {
  if (x.source.kind !== 'node' || x.source.node.outputs.length > 1) return cut(graph, x, part);
  const { op, inputs, attributes } = x.source.node;
  const { axis, size } = part;
  const shape = x.shape.map((dim, i) => (i === axis ? size : dim));
  const rank = x.shape.length;
  const of = (input: Value, at: number, whole = part) => partOf(graph, input, { ...whole, axis: at });
  /** The part of an input that is broadcast against x. */
  const broadcast = (input: Value | null): Value | null => {
    if (!input) return null;
    const own = axis - rank + input.shape.length;
    return own < 0 || input.shape[own] === 1 ? input : of(input, own);
  };
  const again = (...parts: (Value | null)[]) => graph.node(op, parts, shape, x.dtype, attributes);
  if (unary.has(op)) return again(of(inputs[0]!, axis));
  if (elementwise.has(op)) return again(...inputs.map(broadcast));
  switch (op) {
    case 'Transpose':
      return graph.transpose(
        of(inputs[0]!, (attributes.perm as number[])[axis]!),
        attributes.perm as number[],
      );
    case 'Reshape': {
      const inner = partBefore(inputs[0]!.shape, x.shape, part);
      return inner ? graph.reshape(partOf(graph, inputs[0]!, inner), shape) : cut(graph, x, part);
    }
    case 'ReduceSum':
    case 'ReduceMax':
      // Axes that are reduced have length one here, so this one is not.
      return again(of(inputs[0]!, axis), inputs[1]!);
    case 'RotaryEmbedding': {
      if (axis !== 1) return cut(graph, x, part);
      const parts = [of(inputs[0]!, axis), ...inputs.slice(1)];
      const heads = 'num_heads' in attributes && { num_heads: size };
      return graph.node(op, parts, shape, x.dtype, { ...attributes, ...heads });
    }
    case 'Softmax':
    case 'LogSoftmax':
      return attributes.axis === axis ? cut(graph, x, part) : again(of(inputs[0]!, axis));
    case 'Concat':
      return attributes.axis === axis
        ? cut(graph, x, part)
        : again(...inputs.map((input) => of(input!, axis)));
    case 'Gather': {
      const [from, indices] = inputs;
      const first = attributes.axis as number;
      const last = first + indices!.shape.length; // the axes between are those of the indices
      if (axis >= first && axis < last) return cut(graph, x, part);
      return again(of(from!, axis < first ? axis : axis - last + first + 1), indices!);
    }
    case 'Slice': {
      const [inner] = inputs;
      return inner!.shape[axis] === x.shape[axis]
        ? again(of(inner!, axis), ...inputs.slice(1))
        : cut(graph, x, part);
    }
    case 'Gemm': {
      const [rows, columns] = [attributes.transA ? 1 : 0, attributes.transB ? 0 : 1];
      const [a, b, bias] = inputs;
      const sides = axis === 0 ? [of(a!, rows), b!] : [a!, of(b!, columns)];
      return again(...sides, ...(bias ? [broadcast(bias)] : []));
    }
    case 'MatMul':
    case 'FusedMatMul': {
      const [a, b] = inputs;
      if (axis < rank - 2) return again(broadcast(a!), broadcast(b!));
      const swap = axis === rank - 2 ? attributes.transA : attributes.transB;
      const at = (input: Value) => input.shape.length - rank + (swap ? 2 * rank - 3 - axis : axis);
      return axis === rank - 2 ? again(of(a!, at(a!)), b!) : again(a!, of(b!, at(b!)));
    }
    default:
      return cut(graph, x, part);
  }
}

/** The part of an array that a part of it in another shape is, if it is one of a single axis. */
function partBefore(
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

// -- padding ---------------------------------------------------------------------------------------------------

/** An array that is zero outside a part of one axis, as the gradient of a slice is. */
interface Padded {
  readonly inner: Value;
  readonly part: Part;
}

/** x as zeros around something smaller; its products with other arrays stay such. */
function padded(graph: Graph, x: Value): Padded | undefined {
  if (x.source.kind !== 'node') return undefined;
  const { op, inputs, attributes } = x.source.node;
  if (op === 'Pad') return paddedByNode(x, x.source.node);
  if (op === 'Mul') {
    for (const [a, b] of [inputs, [...inputs].reverse()] as [Value, Value][]) {
      const before = a!.shape.length === x.shape.length ? padded(graph, a) : undefined;
      if (!before) continue;
      const own = before.part.axis - x.shape.length + b.shape.length;
      const other = own < 0 || b.shape[own] === 1 ? b : partOf(graph, b, { ...before.part, axis: own });
      return { ...before, inner: graph.elementwise('Mul', [before.inner, other]) };
    }
    return undefined;
  }
  if (op !== 'Reshape' && op !== 'Transpose') return undefined;
  const before = padded(graph, inputs[0]!);
  if (!before) return undefined;
  if (op === 'Transpose') {
    const perm = attributes.perm as number[];
    const part = { ...before.part, axis: perm.indexOf(before.part.axis) };
    return { inner: graph.transpose(before.inner, perm), part };
  }
  const part = partBefore(x.shape, inputs[0]!.shape, before.part);
  if (!part) return undefined;
  const shape = x.shape.map((dim, i) => (i === part.axis ? part.size : dim));
  return { inner: graph.reshape(before.inner, shape), part };
}

function paddedByNode(x: Value, { inputs, attributes }: GraphNode): Padded | undefined {
  const [inner, pads, fill] = inputs as Value[];
  const rank = x.shape.length;
  const before = ints(pads!);
  const zero = attributes.mode === 'constant' && fill?.source.kind === 'splat' && fill.source.value === 0;
  const axes = x.shape.flatMap((dim, axis) => (dim === inner!.shape[axis] ? [] : [axis]));
  if (!zero || axes.length !== 1 || before.length !== 2 * rank) return undefined;
  const axis = axes[0]!;
  return { inner: inner!, part: { axis, start: before[axis]!, size: inner!.shape[axis]! } };
}

/** A product whose left side is zero but for some columns: the product of those, with those rows of the right. */
function withoutPadding(
  graph: Graph,
  { op, attributes, outputs }: GraphNode,
  [left, right, ...rest]: readonly (Value | null)[],
): Value[] | undefined {
  if (op !== 'Gemm') return undefined;
  const inner = attributes.transA ? 0 : 1;
  const found = padded(graph, left!);
  if (found?.part.axis !== inner) return undefined;
  const rows = partOf(graph, right!, { ...found.part, axis: attributes.transB ? 1 : 0 });
  return [graph.node(op, [found.inner, rows, ...rest], outputs[0]!.shape, outputs[0]!.dtype, attributes)];
}
