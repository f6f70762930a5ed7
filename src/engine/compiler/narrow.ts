/**
 * @file Computing only what is used: where a small part of an array is all that is read of it, the part is made from
 * parts of what the array is made of, down to a slice of the weights. One neuron needs one column of the up
 * projection; one head its own queries, keys and values; and their gradients touch no other.
 */

import { sizeOf } from '../tensor-spec.js';
import type { Graph, GraphNode, Traced, Value } from './graph.js';
import { opTable } from './op-table.js';
import { ints, type Part, partBefore, partOf, takenPart } from './parts.js';
import { dependsOnWeightsAlone, reachable } from './reachable.js';
import { rewrite } from './rewrite.js';

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
    const { isView, multiplications } = opTable[node.op];
    if (fixed.has(output!) || isView) return 0;
    return multiplications?.(node) ?? sizeOf(output!.shape);
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
function thinPart(node: GraphNode): Part | undefined {
  const part = takenPart(node);
  return part && part.size * THIN <= node.inputs[0]!.shape[part.axis]! ? part : undefined;
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
