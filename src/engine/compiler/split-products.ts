/**
 * @file Products by large matrices that are widened in each run (half-weights.ts), taken a block of the matrix's rows at a time:
 * only one block is wide at a time. One node, a loop (block-gemm.ts), does all blocks of a matrix: with nodes for each, the
 * session of a large model took twice the memory.
 */
import { sizeOf } from '../tensor-spec.js';
import { WIDE_AT_ONCE } from '../traits.js';
import type { Graph, GraphNode, Traced, Value } from './graph.js';
import { rewrite } from './rewrite.js';
import { concat, slice } from './rules/shape.js';

/** @param isWidened - whether a weight is widened in each run */
export function splitProducts(traced: Traced, isWidened: (weight: string) => boolean): Traced {
  return rewrite(traced, (node, inputs) => {
    const matrix = inputs[1];
    if (node.op !== 'Gemm' || matrix?.source.kind !== 'weight' || !isWidened(matrix.source.name))
      return undefined;
    if (sizeOf(matrix.shape) < 2 * WIDE_AT_ONCE) return undefined;
    const [rows, width] = matrix.shape as [number, number];
    const size = blockSize(rows, Math.max(1, Math.floor(WIDE_AT_ONCE / width)));
    const split = node.attributes.transB ? joinedProduct : summedProduct;
    return [split(traced.graph, node, inputs as Value[], size)];
  });
}

/** Rows of a block. What is left behind the last is not much smaller: of few columns, products are summed up in another order. */
function blockSize(rows: number, most: number): number {
  const least = Math.ceil(most / 2);
  const sizes = Array.from({ length: most - least + 1 }, (_, i) => most - i);
  return sizes.find((size) => rows % size === 0) ?? sizes.find((size) => rows % size >= least) ?? most;
}

type Split = (graph: Graph, node: GraphNode, inputs: readonly Value[], size: number) => Value;

/** Part `[start, end)` of an axis. */
const part = (graph: Graph, x: Value, axis: number, start: number, end: number) =>
  slice(
    graph,
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    x.shape.map((dim, i) => (i === axis ? end - start : dim)),
  );

/** The entries of an axis in blocks of so many, `[block, …]`. */
function blocksOf(graph: Graph, x: Value, axis: number, size: number): Value {
  const [before, after] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const split = graph.reshape(x, [...before, x.shape[axis]! / size, size, ...after]);
  const others = split.shape.flatMap((_, i) => (i === axis ? [] : [i]));
  return graph.transpose(split, [axis, ...others]);
}

/** a B^T: each block of B's rows makes some columns. */
const joinedProduct: Split = (graph, { attributes, outputs: [output] }, [a, b, bias], size) => {
  const { shape, dtype } = output!;
  const [rows, columns] = shape as [number, number];
  const even = columns - (columns % size);
  const blocks = [b!, ...(bias ? [bias] : [])].map((x) =>
    blocksOf(graph, part(graph, x, 0, 0, even), 0, size),
  );
  const products = graph.node('BlockGemm', [a!, ...blocks], [even / size, rows, size], dtype, attributes);
  const joined = graph.reshape(graph.transpose(products, [1, 0, 2]), [rows, even]);
  if (even === columns) return joined;
  const rest = [b!, ...(bias ? [bias] : [])].map((x) => part(graph, x, 0, even, columns));
  return concat(
    graph,
    [joined, graph.node('Gemm', [a!, ...rest], [rows, columns - even], dtype, attributes)],
    1,
  );
};

/** a B: each block of B's rows, times those columns of a, is a term of the sum. */
const summedProduct: Split = (graph, { attributes, outputs: [output] }, [a, b, bias], size) => {
  const { shape, dtype } = output!;
  const rows = b!.shape[0]!;
  const even = rows - (rows % size);
  const inner = attributes.transA ? 0 : 1;
  // As a node: a constant of this shape may be large.
  const start = graph.node('Expand', [bias ?? graph.splat(0, [], dtype), graph.ints(shape)], shape, dtype);
  const blocks = [
    blocksOf(graph, part(graph, a!, inner, 0, even), inner, size),
    blocksOf(graph, part(graph, b!, 0, 0, even), 0, size),
  ];
  const sum = graph.node('BlockGemm', [...blocks, start], shape, dtype, attributes);
  if (even === rows) return sum;
  const rest = [part(graph, a!, inner, even, rows), part(graph, b!, 0, even, rows)];
  return graph.node('Gemm', [...rest, sum], shape, dtype, attributes);
};
