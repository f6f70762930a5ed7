/**
 * @file Matrix products by weights in 8 bits: 3 to 4 times as fast as in float32 where a processor has instructions
 * for it (AVX-512 VNNI), and good to about a percent. For proposing and ranking, not for what is reported.
 */
import { type Graph, type GraphNode, madeBy, type Traced, type Value } from './graph.js';
import { type OpName, opTable } from './op-table.js';
import { dependsOnWeightsAlone } from './reachable.js';
import { rewrite } from './rewrite.js';

/** Both axes of a matrix must have so many entries: below, bringing rows to 8 bits costs what the product gains. */
const SMALLEST = 256;

/**
 * Puts an integer product in the place of every product of rows with a matrix that depends on weights alone. Weights
 * have one scale an output, and are quantized once for all programs; rows are brought to the same range first, as
 * ONNX Runtime has one scale for all of them (per-token quantization: Dettmers et al., LLM.int8, arXiv 2208.07339).
 *
 * @param evenRows - rows behind a norm are of about the same range already: a tenth of the time less. Not so where
 *   position 0 is among them, which in trained models is a row of its own kind.
 */
export function quantizeProducts(traced: Traced, evenRows = false): Traced {
  const fixed = dependsOnWeightsAlone(Object.values(traced.outputs));
  return rewrite(traced, (node, inputs) => {
    const [rows, matrix, bias] = inputs;
    const { in8Bits } = opTable[node.op];
    const quantizable =
      in8Bits !== undefined &&
      !node.attributes.transA &&
      fixed.has(node.inputs[1]!) &&
      !fixed.has(node.inputs[0]!) &&
      !isExponential(rows!) &&
      Math.min(...matrix!.shape) >= SMALLEST;
    return quantizable
      ? [product(traced.graph, in8Bits, node, rows!, matrix!, bias ?? null, evenRows && isNormalized(rows!))]
      : undefined;
  });
}

function product(
  graph: Graph,
  op: OpName,
  { attributes, outputs }: GraphNode,
  rows: Value,
  matrix: Value,
  bias: Value | null,
  isEven: boolean,
): Value {
  const { values, scales } = quantized(graph, matrix, attributes.transB === 1);
  const multiply = (rows: Value, ...bias: Value[]) =>
    graph.node(op, [rows, values, scales, null, ...bias], outputs[0]!.shape, 'float32');
  if (isEven) return multiply(rows, ...(bias ? [bias] : []));
  const range = largest(graph, rows, 1); // [rows, 1]
  const scaled = graph.elementwise('Mul', [multiply(graph.elementwise('Div', [rows, range])), range]);
  return bias ? graph.elementwise('Add', [scaled, bias]) : scaled;
}

/** Whether a norm has made rows as long as each other. */
function isNormalized(rows: Value): boolean {
  const whole = madeBy(rows, 'Slice')?.inputs[0];
  if (whole) return isNormalized(whole);
  return rows.source.kind === 'node' && opTable[rows.source.node.op].isNorm === true;
}

/** Whether rows are powers of e, as shares of a softmax are: with one scale for all, the small ones would vanish. */
function isExponential(rows: Value): boolean {
  const factors = madeBy(rows, 'Mul')?.inputs ?? [];
  return madeBy(rows, 'Exp') !== undefined || factors.some((factor) => isExponential(factor!));
}

/** The matrix as `[in, out]` int8, and what a step is worth in each column, `[out]`. */
function quantized(graph: Graph, matrix: Value, outIn: boolean): { values: Value; scales: Value } {
  const range = largest(graph, matrix, outIn ? 1 : 0);
  const scales = graph.elementwise('Mul', [range, graph.splat(1 / 127, [], 'float32')]);
  const steps = graph.cast(graph.unary('Round', graph.elementwise('Div', [matrix, scales])), 'int8');
  return {
    values: outIn ? graph.transpose(steps, [1, 0]) : steps,
    scales: graph.reshape(scales, [matrix.shape[outIn ? 0 : 1]!]),
  };
}

/** Largest magnitude along an axis, which stays with length one; a little above zero where all is zero. */
function largest(graph: Graph, x: Value, axis: number): Value {
  const shape = x.shape.map((dim, i) => (i === axis ? 1 : dim));
  const top = graph.node('ReduceMax', [graph.unary('Abs', x), graph.ints([axis])], shape, 'float32', {
    keepdims: 1,
  });
  return graph.elementwise('Max', [top, graph.splat(1e-30, [], 'float32')]);
}
