/** @file Matrix products, reductions and softmax. */
import * as tf from '../../functions/tfjs.js';
import { broadcastShape, type GraphDType, sizeOf } from '../../tensor-spec.js';
import { type Graph, madeBy, type Value } from '../graph.js';
import type { OpName } from '../op-table.js';
import { multiply } from './elementwise.js';
import type { Rules } from './kernels.js';

function withLastSwapped(graph: Graph, x: Value): Value {
  const axes = x.shape.map((_, axis) => axis);
  return graph.transpose(x, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]);
}

/** a b with either side transposed on the fly, batched over leading axes. */
export function matrixProduct(graph: Graph, a: Value, b: Value, transA: boolean, transB: boolean): Value {
  const [rows, inner] = transA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const columns = transB ? b.shape.at(-2)! : b.shape.at(-1)!;
  if (inner !== (transB ? b.shape.at(-1) : b.shape.at(-2)))
    throw new Error(`matMul: inner axes of [${a.shape}] and [${b.shape}] differ`);
  const batch = broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...batch, rows, columns];
  if (sizeOf(batch) === 1) {
    const flat = (x: Value) => graph.reshape(x, x.shape.slice(-2));
    const product = graph.node('Gemm', [flat(a), flat(b)], [rows, columns], a.dtype, {
      transA: Number(transA),
      transB: Number(transB),
    });
    return graph.reshape(product, shape);
  }
  if (!transA && !transB) return graph.node('MatMul', [a, b], shape, a.dtype);
  if (graph.traits.lacksKernels) {
    const [left, right] = [transA ? withLastSwapped(graph, a) : a, transB ? withLastSwapped(graph, b) : b];
    return graph.node('MatMul', [left, right], shape, a.dtype);
  }
  return graph.node('FusedMatMul', [a, b], shape, a.dtype, {
    transA: Number(transA),
    transB: Number(transB),
  });
}

type ReductionInputs = { x: Value };
type ReductionAttributes = { axis: number | number[]; keepDims?: boolean };

/** Reduces over axes; a transposed array is reduced before it is transposed. */
function reduce(graph: Graph, op: OpName, x: Value, axes: readonly number[], keepDims: boolean): Value {
  const kept = x.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
  const moved = madeBy(x, 'Transpose');
  let result: Value;
  if (moved) {
    const perm = moved.attributes.perm as readonly number[];
    const inner = axes.map((axis) => perm[axis]!);
    result = graph.transpose(reduce(graph, op, moved.inputs[0]!, inner, true), perm);
  } else if (axes.every((axis) => x.shape[axis] === 1)) {
    result = x;
  } else {
    result = graph.node(op, [x, graph.ints([...axes].sort((a, b) => a - b))], kept, x.dtype, { keepdims: 1 });
  }
  return keepDims
    ? result
    : graph.reshape(
        result,
        x.shape.filter((_, axis) => !axes.includes(axis)),
      );
}

const reduction =
  (op: OpName) =>
  (graph: Graph, { x }: ReductionInputs, { axis, keepDims }: ReductionAttributes) => {
    const axes = tf.util.parseAxisParam(axis, [...x.shape]);
    if (x.source.kind === 'splat' && op === 'ReduceSum') {
      const count = axes.reduce((product, at) => product * x.shape[at]!, 1);
      return reduce(
        graph,
        op,
        graph.splat(
          x.source.value * count,
          x.shape.map((dim, at) => (axes.includes(at) ? 1 : dim)),
          x.dtype,
        ),
        axes,
        keepDims ?? false,
      );
    }
    return reduce(graph, op, x, axes, keepDims ?? false);
  };

/** ONNX has no reductions over booleans: count them. */
const truth =
  (op: OpName) =>
  (graph: Graph, { x }: ReductionInputs, { axis, keepDims }: ReductionAttributes) => {
    const axes = tf.util.parseAxisParam(axis, [...x.shape]);
    return graph.cast(reduce(graph, op, graph.cast(x, 'int32'), axes, keepDims ?? false), 'bool');
  };

const extremum =
  (op: OpName) =>
  (graph: Graph, { x }: ReductionInputs, { axis }: { axis: number }) => {
    const at = tf.util.parseAxisParam(axis, [...x.shape])[0]!;
    const shape = x.shape.filter((_, i) => i !== at);
    return graph.cast(graph.node(op, [x], shape, 'int64', { axis: at, keepdims: 0 }), 'int32');
  };

export const linearRules = {
  BatchMatMul: (graph, { a, b }, { transposeA, transposeB }) =>
    matrixProduct(graph, a, b, transposeA, transposeB),
  Sum: reduction('ReduceSum'),
  Max: (graph, inputs, { reductionIndices, keepDims }) =>
    reduction('ReduceMax')(graph, inputs, { axis: reductionIndices, keepDims }),
  Min: reduction('ReduceMin'),
  Prod: reduction('ReduceProd'),
  Mean: (graph, { x }, { axis, keepDims }) => {
    const axes = tf.util.parseAxisParam(axis, [...x.shape]);
    const count = axes.reduce((product, at) => product * x.shape[at]!, 1);
    const sum = reduce(graph, 'ReduceSum', graph.cast(x, 'float32'), axes, keepDims ?? false);
    return multiply(graph, sum, graph.splat(1 / count, [], 'float32'));
  },
  All: truth('ReduceMin'),
  Any: truth('ReduceMax'),
  ArgMax: extremum('ArgMax'),
  ArgMin: extremum('ArgMin'),
  Softmax: (graph, { logits }, { dim }) => {
    const axis = dim === undefined || dim < 0 ? logits.shape.length - 1 : dim;
    return graph.node('Softmax', [logits], logits.shape, logits.dtype, { axis });
  },
  Cumsum: (graph, { x }, { axis, exclusive, reverse }) => {
    const at = tf.util.parseAxisParam(axis, [...x.shape])[0]!;
    const position = graph.constant(Int32Array.of(at), [], 'int32');
    return graph.node('CumSum', [x, position], x.shape, x.dtype, {
      exclusive: Number(exclusive),
      reverse: Number(reverse),
    });
  },
  TopK: (graph, { x }, { k, sorted }) => {
    const shape = [...x.shape.slice(0, -1), k];
    const types: GraphDType[] = [x.dtype, 'int64'];
    const [values, indices] = graph.nodes(
      'TopK',
      [x, graph.ints([k])],
      types.map((dtype) => ({ shape, dtype })),
      { axis: x.shape.length - 1, sorted: Number(sorted) },
    );
    return [values!, graph.cast(indices!, 'int32')];
  },
} satisfies Partial<Rules>;
