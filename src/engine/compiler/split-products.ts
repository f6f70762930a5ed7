/**
 * @file Products by large matrices that are widened in each run (half-weights.ts), split into products by blocks of their
 * rows: only one block or two are wide at a time.
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
    const atOnce = Math.max(1, Math.floor(WIDE_AT_ONCE / width));
    const blocks = evenBlocks(rows, Math.ceil(rows / atOnce));
    const split = node.attributes.transB ? joinedProduct : summedProduct;
    return [split(traced.graph, node, inputs as Value[], blocks)];
  });
}

/** So many blocks, none much smaller than the others: of few columns, products are summed up in another order. */
function evenBlocks(rows: number, count: number): MatrixBlock[] {
  const start = (i: number) => Math.round((i * rows) / count);
  return Array.from({ length: count }, (_, i) => ({ start: start(i), size: start(i + 1) - start(i) }));
}

interface MatrixBlock {
  readonly start: number;
  readonly size: number;
}
type Split = (
  graph: Graph,
  node: GraphNode,
  inputs: readonly Value[],
  blocks: readonly MatrixBlock[],
) => Value;

const part = (graph: Graph, x: Value, axis: number, { start, size }: MatrixBlock) =>
  slice(
    graph,
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    x.shape.map((dim, i) => (i === axis ? size : dim)),
  );

/** a B^T: each block of B's rows makes some columns. */
const joinedProduct: Split = (graph, { attributes, outputs: [output] }, [a, b, bias], blocks) => {
  const [rows, columns] = output!.shape as [number, number];
  const products = blocks.map((block) => {
    const own =
      bias && bias.shape.at(-1) === columns ? part(graph, bias, bias.shape.length - 1, block) : bias;
    const inputs = [a!, part(graph, b!, 0, block), ...(own ? [own] : [])];
    return graph.node('Gemm', inputs, [rows, block.size], output!.dtype, attributes);
  });
  return concat(graph, products, 1);
};

/** a B: each block of B's rows, times those columns of a, is a term of the sum. */
const summedProduct: Split = (graph, { attributes, outputs: [output] }, [a, b, bias], blocks) =>
  blocks.reduce<Value | undefined>((sum, block) => {
    const factor = part(graph, a!, attributes.transA ? 0 : 1, block);
    const inputs = [factor, part(graph, b!, 0, block), ...(sum ? [sum] : [])];
    return graph.node('Gemm', inputs, output!.shape, output!.dtype, attributes);
  }, bias)!;
