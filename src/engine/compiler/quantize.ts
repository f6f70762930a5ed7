/**
 * @file Matrix products by weights in 8 bits: 3 to 4 times as fast as in float32 where a processor has instructions
 * for it (AVX-512 VNNI), and good to one or two percent. For proposing and ranking, not for what is reported.
 */
import { weightSteps } from '../dot-products.js';
import { type Graph, type GraphNode, madeBy, type Traced, type Value } from './graph.js';
import { opTable } from './op-table.js';
import { dependsOnWeightsAlone, reachable } from './reachable.js';
import { rewrite } from './rewrite.js';
import { concat, slice } from './rules/shape.js';

/** Both axes of a matrix must have so many entries: below, bringing rows to 8 bits costs what the product gains. */
const SMALLEST = 256;

/**
 * Products of the same rows are computed as one, since several would each bring the rows to 8 bits; but those with so many
 * columns alone, since to divide what they make takes longer.
 */
const WIDE = 1024;

/**
 * Puts an integer product in the place of every product of rows with a matrix that depends on weights alone. Weights
 * have one scale an output, and are quantized once for all programs; rows are brought to the same range first, as
 * ONNX Runtime has one scale for all of them (per-token quantization: Dettmers et al., LLM.int8, arXiv 2208.07339).
 *
 * @param evenRows - rows behind a norm are of about the same range already: a tenth of the time less. Not so where
 *   position 0 is among them, which in trained models is a row of its own kind.
 */
export function quantizeProducts(traced: Traced, evenRows = false): Traced {
  const { graph, outputs } = traced;
  const groups = productsByRows(traced);
  const made = new Map<GraphNode, Value>();
  return rewrite({ graph, outputs }, (node, inputs) => {
    const group = groups.get(node);
    if (!group) return undefined;
    if (!made.has(node)) {
      const rows = inputs[0]!;
      const results = products(graph, group, rows, evenRows && isNormalized(rows));
      for (const [i, member] of group.entries()) made.set(member, results[i]!);
    }
    return [made.get(node)!];
  });
}

/** For each product that pays in 8 bits, those that are computed as one with it: of the same rows. */
function productsByRows({ outputs }: Traced): Map<GraphNode, readonly GraphNode[]> {
  const values = Object.values(outputs);
  const fixed = dependsOnWeightsAlone(values);
  const byRows = new Map<Value, GraphNode[]>();
  for (const node of reachable(values).nodes) {
    const [rows, matrix] = node.inputs;
    const isProduct = opTable[node.op].in8Bits !== undefined && !node.attributes.transA;
    if (!isProduct || !fixed.has(matrix!) || fixed.has(rows!) || isExponential(rows!)) continue;
    byRows.set(rows!, [...(byRows.get(rows!) ?? []), node]);
  }
  const groups = [...byRows.values()].flatMap(computedAsOne).filter(pays);
  return new Map(groups.flatMap((group) => group.map((node) => [node, group])));
}

const pays = (group: readonly GraphNode[]) =>
  group.some(({ inputs }) => Math.min(...inputs[1]!.shape) >= SMALLEST);

/** Products of the same rows as they are computed: wide ones alone, the others together. */
function computedAsOne(group: readonly GraphNode[]): (readonly GraphNode[])[] {
  const isWide = ({ outputs: [output] }: GraphNode) => output!.shape[1]! >= WIDE;
  return [group.filter((node) => !isWide(node)), ...group.filter(isWide).map((node) => [node])];
}

/** What some products of the same rows are, computed as one. */
function products(graph: Graph, group: readonly GraphNode[], rows: Value, isEven: boolean): Value[] {
  const matrices = group.map(({ inputs, attributes }) =>
    quantized(graph, inputs[1]!, attributes.transB === 1),
  );
  const values = joined(
    graph,
    matrices.map(({ values }) => values),
    1,
  );
  const scales = joined(
    graph,
    matrices.map(({ scales }) => scales),
    0,
  );
  const widths = group.map(({ outputs }) => outputs[0]!.shape[1]!);
  const [height, width] = [rows.shape[0]!, widths.reduce((a, b) => a + b)];
  const biases = group.flatMap(({ inputs: [, , bias] }) => bias ?? []);
  const isBiased = isEven && biases.length === group.length;
  const multiply = (rows: Value) => {
    const bias = isBiased ? [null, joined(graph, biases, 0)] : [];
    const inputs = [rows, values, scales, ...bias];
    return graph.node('DynamicQuantizeMatMul', inputs, [height, width], 'float32');
  };
  const whole = isEven ? multiply(rows) : inRange(graph, rows, largest(graph, rows, 1), multiply);
  let start = 0;
  return group.map(({ inputs: [, , bias] }, i) => {
    const part = slice(graph, whole, [0, start], [height, widths[i]!]);
    start += widths[i]!;
    return bias && !isBiased ? graph.elementwise('Add', [part, bias]) : part;
  });
}

const joined = (graph: Graph, parts: readonly Value[], axis: number): Value =>
  parts.length > 1 ? concat(graph, parts, axis) : parts[0]!;

/** What is linear in x, of x brought to a largest magnitude of one. */
export function inRange(graph: Graph, x: Value, range: Value, linear: (x: Value) => Value): Value {
  return graph.elementwise('Mul', [linear(graph.elementwise('Div', [x, range])), range]);
}

/** Whether a norm has made rows as long as each other. */
export function isNormalized(rows: Value): boolean {
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
  const scales = graph.elementwise('Mul', [range, graph.splat(1 / weightSteps(), [], 'float32')]);
  const steps = graph.cast(graph.unary('Round', graph.elementwise('Div', [matrix, scales])), 'int8');
  return {
    values: outIn ? graph.transpose(steps, [1, 0]) : steps,
    scales: graph.reshape(scales, [matrix.shape[outIn ? 0 : 1]!]),
  };
}

/** Largest magnitude along axes, which stay with length one; a little above zero where all is zero. */
export function largest(graph: Graph, x: Value, ...axes: readonly number[]): Value {
  const shape = x.shape.map((dim, i) => (axes.includes(i) ? 1 : dim));
  const top = graph.node('ReduceMax', [graph.unary('Abs', x), graph.ints(axes)], shape, 'float32', {
    keepdims: 1,
  });
  return graph.elementwise('Max', [top, graph.splat(1e-30, [], 'float32')]);
}
