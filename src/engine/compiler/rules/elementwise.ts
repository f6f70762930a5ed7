/** @file Element-wise kernels, and the simplifications that autodiff's zeros and ones ask for. */

import { broadcastShape, sameShape } from '../../tensor-spec.js';
import { type Graph, madeBy, type Value } from '../graph.js';
import type { OpName } from '../op-table.js';
import type { Rules } from './kernels.js';

/** A constant that broadcasts against anything of x's type. */
function scalar(graph: Graph, value: number, like: Value): Value {
  return graph.splat(value, [], like.dtype);
}

function splatValue(x: Value): number | undefined {
  return x.source.kind === 'splat' ? x.source.value : undefined;
}

const unary =
  (op: OpName) =>
  (graph: Graph, { x }: { x: Value }) =>
    graph.unary(op, x);

type BinaryInputs = { a: Value; b: Value };
const binary =
  (op: OpName) =>
  (graph: Graph, { a, b }: BinaryInputs) =>
    graph.elementwise(op, [a, b]);
const comparison =
  (op: OpName) =>
  (graph: Graph, { a, b }: BinaryInputs) =>
    graph.elementwise(op, [a, b], 'bool');

export function multiply(graph: Graph, a: Value, b: Value): Value {
  const shape = broadcastShape(a.shape, b.shape);
  const [x, y] = [splatValue(a), splatValue(b)];
  if (x !== undefined && y !== undefined) return graph.splat(x * y, shape, a.dtype);
  if (x === 0 || y === 0) return graph.splat(0, shape, a.dtype);
  if (x === 1) return graph.broadcast(b, shape);
  if (y === 1) return graph.broadcast(a, shape);
  if (x === -1) return graph.broadcast(graph.unary('Neg', b), shape);
  if (y === -1) return graph.broadcast(graph.unary('Neg', a), shape);
  return gated(graph, a, b) ?? gated(graph, b, a) ?? graph.elementwise('Mul', [a, b]);
}

/** The gradient of a ReLU, x times 0 or 1: by the fastest nodes there are for it. */
function gated(graph: Graph, gate: Value, x: Value): Value | undefined {
  const moved = madeBy(gate, 'Transpose');
  const step = madeBy(moved ? moved.inputs[0]! : gate, 'Cast');
  const positive = step && madeBy(step.inputs[0]!, 'Greater');
  if (!positive || splatValue(positive.inputs[1]!) !== 0 || !sameShape(gate.shape, x.shape)) return undefined;
  const perm = moved?.attributes.perm as readonly number[] | undefined;
  const at = (value: Value) => (perm ? graph.transpose(value, perm) : value);
  const [sign] = positive.inputs;
  if (graph.traits.fastHardSigmoid && sign!.dtype === 'float32') {
    const open = graph.unary('HardSigmoid', at(sign!), { alpha: { f: 1e30 }, beta: { f: 0 } });
    return graph.elementwise('Mul', [x, open]);
  }
  const condition = at(step.inputs[0]!);
  return graph.elementwise('Where', [condition, x, scalar(graph, 0, x)], x.dtype);
}

export function add(graph: Graph, a: Value, b: Value): Value {
  const shape = broadcastShape(a.shape, b.shape);
  const [x, y] = [splatValue(a), splatValue(b)];
  if (x !== undefined && y !== undefined) return graph.splat(x + y, shape, a.dtype);
  if (x === 0) return graph.broadcast(b, shape);
  if (y === 0) return graph.broadcast(a, shape);
  return withBias(graph, a, b) ?? withBias(graph, b, a) ?? graph.elementwise('Add', [a, b]);
}

/** x W + b in one node, for matrix products and convolutions that have no bias yet. */
function withBias(graph: Graph, x: Value, bias: Value): Value | undefined {
  const width = x.shape.at(-1);
  if (bias.shape.length !== 1 || bias.shape[0] !== width || bias.source.kind === 'splat') return undefined;
  const reshaped = madeBy(x, 'Reshape');
  if (reshaped && reshaped.inputs[0]!.shape.at(-1) === width) {
    const inner = withBias(graph, reshaped.inputs[0]!, bias);
    return inner && graph.reshape(inner, x.shape);
  }
  const product = madeBy(x, 'Gemm');
  if (product && product.inputs.length === 2) {
    return graph.node('Gemm', [...product.inputs, bias], x.shape, x.dtype, product.attributes);
  }
  const transposed = madeBy(x, 'Transpose');
  const conv = transposed && madeBy(transposed.inputs[0]!, 'Conv');
  if (
    conv &&
    conv.inputs.length === 2 &&
    transposed.inputs[0]!.shape[1] === width &&
    transposed.attributes.perm!.toString() === '0,2,3,1'
  ) {
    const sum = graph.node(
      'Conv',
      [...conv.inputs, bias],
      transposed.inputs[0]!.shape,
      x.dtype,
      conv.attributes,
    );
    return graph.transpose(sum, [0, 2, 3, 1]);
  }
  return undefined;
}

/** The ReLU of x, where the graph has it: transposes sink through it, so it may be of what x is a transpose of. */
function reluOf(graph: Graph, x: Value): Value | undefined {
  const moved = madeBy(x, 'Transpose');
  const relu = graph.find('Relu', [moved ? moved.inputs[0]! : x]);
  return relu && moved ? graph.transpose(relu, moved.attributes.perm as readonly number[]) : relu;
}

/**
 * 1 where x > 0, else `alpha`. A ReLU's output has the same sign as its input and is at hand; with nobody else reading its
 * input, ONNX Runtime computes a convolution and its ReLU as one.
 */
function step(graph: Graph, x: Value, alpha: number): Value {
  const sign = reluOf(graph, x) ?? x;
  const positive = graph.elementwise('Greater', [sign, scalar(graph, 0, x)], 'bool');
  if (alpha === 0) return graph.cast(positive, 'float32');
  return graph.elementwise(
    'Where',
    [positive, scalar(graph, 1, x), graph.splat(alpha, x.shape, x.dtype)],
    'float32',
  );
}

function sub(graph: Graph, a: Value, b: Value): Value {
  const [x, y] = [splatValue(a), splatValue(b)];
  if (x !== undefined && y !== undefined)
    return graph.splat(x - y, broadcastShape(a.shape, b.shape), a.dtype);
  if (y === 0) return graph.broadcast(a, broadcastShape(a.shape, b.shape));
  return graph.elementwise('Sub', [a, b]);
}

function divide(graph: Graph, a: Value, b: Value): Value {
  const y = splatValue(b);
  // Dividing by a constant is a product with its inverse; powers of two and sizes of averages are exact enough.
  if (y !== undefined && a.dtype === 'float32')
    return multiply(graph, a, graph.splat(1 / y, b.shape, 'float32'));
  return graph.elementwise('Div', [a, b]);
}

const clip = (graph: Graph, x: Value, low: number, high: number) =>
  graph.elementwise('Clip', [x, scalar(graph, low, x), scalar(graph, high, x)]);

export const elementwiseRules = {
  Abs: unary('Abs'),
  Ceil: unary('Ceil'),
  Cos: unary('Cos'),
  Elu: unary('Elu'),
  Erf: unary('Erf'),
  Exp: unary('Exp'),
  Floor: unary('Floor'),
  Log: unary('Log'),
  LogicalNot: unary('Not'),
  Reciprocal: unary('Reciprocal'),
  Relu: unary('Relu'),
  Round: unary('Round'),
  Selu: unary('Selu'),
  Sigmoid: unary('Sigmoid'),
  Sign: unary('Sign'),
  Sin: unary('Sin'),
  Softplus: unary('Softplus'),
  Sqrt: unary('Sqrt'),
  Tan: unary('Tan'),
  Tanh: unary('Tanh'),
  Atan: unary('Atan'),
  IsNan: (graph, { x }) => graph.unary('IsNaN', x, {}, 'bool'),
  Neg: (graph, { x }) => multiply(graph, x, scalar(graph, -1, x)),
  Expm1: (graph, { x }) => graph.elementwise('Sub', [graph.unary('Exp', x), scalar(graph, 1, x)]),
  Log1p: (graph, { x }) => graph.unary('Log', graph.elementwise('Add', [x, scalar(graph, 1, x)])),
  Square: (graph, { x }) => multiply(graph, x, x),
  Rsqrt: (graph, { x }) => graph.unary('Reciprocal', graph.unary('Sqrt', x)),
  Relu6: (graph, { x }) => clip(graph, x, 0, 6),
  ClipByValue: (graph, { x }, { clipValueMin, clipValueMax }) => clip(graph, x, clipValueMin, clipValueMax),
  LeakyRelu: (graph, { x }, { alpha }) => graph.unary('LeakyRelu', x, { alpha: { f: alpha } }),
  Step: (graph, { x }, { alpha }) => step(graph, x, alpha ?? 0),
  Identity: (_graph, { x }) => x,
  OnesLike: (graph, { x }) => graph.splat(1, x.shape, x.dtype),
  ZerosLike: (graph, { x }) => graph.splat(0, x.shape, x.dtype),
  Cast: (graph, { x }, { dtype }) => graph.cast(x, dtype as 'float32' | 'int32' | 'bool'),

  Add: (graph, { a, b }) => add(graph, a, b),
  AddN: (graph, inputs) => inputs.reduce((sum, x) => add(graph, sum, x)),
  Multiply: (graph, { a, b }) => multiply(graph, a, b),
  Sub: (graph, { a, b }) => sub(graph, a, b),
  RealDiv: (graph, { a, b }) => divide(graph, a, b),
  FloorDiv: (graph, { a, b }) => {
    const quotient = graph.elementwise('Div', [graph.cast(a, 'float32'), graph.cast(b, 'float32')]);
    return graph.cast(graph.unary('Floor', quotient), a.dtype);
  },
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  Mod: (graph, { a, b }) => {
    const quotient = graph.elementwise('Div', [graph.cast(a, 'float32'), graph.cast(b, 'float32')]);
    return sub(graph, a, multiply(graph, graph.cast(graph.unary('Floor', quotient), a.dtype), b));
  },
  Pow: (graph, { a, b }) => {
    const exponent = splatValue(b);
    if (exponent === 1) return graph.broadcast(a, broadcastShape(a.shape, b.shape));
    if (exponent === 2) return graph.broadcast(multiply(graph, a, a), broadcastShape(a.shape, b.shape));
    return graph.elementwise('Pow', [a, b]);
  },
  SquaredDifference: (graph, { a, b }) => {
    const difference = sub(graph, a, b);
    return multiply(graph, difference, difference);
  },
  Equal: comparison('Equal'),
  NotEqual: (graph, { a, b }) => graph.unary('Not', graph.elementwise('Equal', [a, b], 'bool')),
  Greater: comparison('Greater'),
  GreaterEqual: comparison('GreaterOrEqual'),
  Less: comparison('Less'),
  LessEqual: comparison('LessOrEqual'),
  LogicalAnd: comparison('And'),
  LogicalOr: comparison('Or'),
  EluGrad: (graph, { dy, y }) => {
    const positive = graph.elementwise('Greater', [y, scalar(graph, 0, y)], 'bool');
    return graph.elementwise(
      'Where',
      [positive, dy, multiply(graph, dy, add(graph, y, graph.splat(1, y.shape, y.dtype)))],
      dy.dtype,
    );
  },
  Prelu: (graph, { x, alpha }) => {
    const positive = graph.elementwise('Greater', [x, scalar(graph, 0, x)], 'bool');
    return graph.elementwise('Where', [positive, x, multiply(graph, x, alpha)], x.dtype);
  },
  Select: (graph, { condition, t, e }) => {
    const trailing = Array<number>(t.shape.length - condition.shape.length).fill(1);
    const mask =
      condition.shape.length === 1 ? graph.reshape(condition, [...condition.shape, ...trailing]) : condition;
    return graph.elementwise('Where', [mask, t, e], t.dtype);
  },
} satisfies Partial<Rules>;
