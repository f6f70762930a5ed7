/** @file ONNX operators on single entries, arithmetic, and softmax. */
import { UserError } from '../../../core/errors.js';
import type { ActivationName, BinaryOp } from '../../layers/op.js';
import { numbersValue, type Value } from '../values.js';
import type { OnnxCall, OnnxRule } from './context.js';

type Settings = (call: OnnxCall) => readonly [a?: number, b?: number];

/** A function of each entry; numbers known while reading stay numbers where `fold` says how. */
const unary =
  (name: ActivationName, settings: Settings = () => [], fold?: (x: number) => number): OnnxRule =>
  (call) => {
    const x = call.input(0);
    if (x.kind === 'numbers' && fold) return numbersValue(x.data.map(fold), x.shape);
    return call.importer.activation(name, x, ...settings(call));
  };

const binary =
  (kind: BinaryOp['kind']): OnnxRule =>
  (call) => {
    const result = call.importer.binary(kind, call.input(0), call.input(1));
    // Sizes are divided as integers.
    const sizes = kind === 'divide' && result.kind === 'numbers' && call.inputs.every(isInteger);
    return sizes ? numbersValue(result.data.map(Math.trunc), result.shape) : result;
  };

const isInteger = (value: Value | undefined): boolean =>
  value?.kind === 'numbers' && value.data.every(Number.isInteger);

/** Any number of inputs. */
const variadic =
  (kind: BinaryOp['kind'], mean = false): OnnxRule =>
  (call) => {
    const first = call.input(0);
    const sum = call.inputs.reduce<Value>(
      (a, _, i) => (i === 0 ? a : call.importer.binary(kind, a, call.input(i))),
      first,
    );
    return mean ? call.importer.activation('linear', sum, 1 / call.inputs.length, 0) : sum;
  };

const clip: OnnxRule = (call) => {
  const bound = (name: string, input: number, fallback: number): number => {
    const value = call.inputs[input];
    return value ? call.oneNumber(value, `"${name}"`) : call.float(name, fallback);
  };
  const low = bound('min', 1, Number.NEGATIVE_INFINITY);
  const high = bound('max', 2, Number.POSITIVE_INFINITY);
  return call.importer.activation('clip', call.input(0), low, high);
};

const power: OnnxRule = (call) => {
  const [exponent, ...more] = call.importer.numbers(call.input(1), 'the exponent');
  if (more.length > 0) throw new UserError('has more than one exponent, which is not supported');
  return call.importer.activation('power', call.input(0), exponent);
};

const reciprocal: OnnxRule = (call) => call.importer.binary('divide', numbersValue([1], []), call.input(0));

const softmax: OnnxRule = (call) => {
  const { importer } = call;
  const value = call.input(0);
  const shape = importer.shape(value);
  const axis = call.axis(call.int('axis', call.opset < 13 ? 1 : -1), shape.length);
  // Before version 13: over this axis and all after it together.
  if (call.opset < 13 && shape.slice(axis + 1).some((dim) => dim !== 1)) {
    throw new UserError(`is a softmax over several axes, [${shape.slice(axis)}], which is not supported`);
  }
  if (axis === 1 && shape.length === 4) {
    const node = importer.graph.add({ kind: 'softmax' }, importer.asImage(value));
    return { kind: 'node', node, swapped: true };
  }
  const perm = shape.map((_, i) => i).filter((i) => i !== axis);
  perm.push(axis);
  const last = importer.graph.add({ kind: 'softmax' }, importer.transpose(importer.asPlain(value), perm));
  const back = perm.map((_, i) => perm.indexOf(i));
  return importer.plain(importer.transpose(last, back));
};

/** ONNX's defaults are the numbers of the publication, rounded: as many digits as float32 has. */
const selu: OnnxRule = (call) => {
  const [alpha, gamma] = [call.float('alpha', seluDefaults.alpha), call.float('gamma', seluDefaults.gamma)];
  const usual = Math.abs(alpha - seluDefaults.alpha) < 1e-6 && Math.abs(gamma - seluDefaults.gamma) < 1e-6;
  return call.importer.activation('selu', call.input(0), ...(usual ? [] : [alpha, gamma]));
};

const seluDefaults = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 } as const;

const same: OnnxRule = (call) => call.input(0);

export const elementwise: Readonly<Record<string, OnnxRule>> = {
  Relu: unary('relu'),
  LeakyRelu: unary('leaky-relu', (call) => [call.float('alpha', 0.01)]),
  Elu: unary('elu', (call) => [call.float('alpha', 1)]),
  Selu: selu,
  Sigmoid: unary('sigmoid'),
  HardSigmoid: unary('hard-sigmoid', (call) => [call.float('alpha', 0.2), call.float('beta', 0.5)]),
  HardSwish: unary('hard-swish'),
  Swish: (call) => {
    if (call.float('alpha', 1) !== 1)
      throw new UserError('has an alpha that is not 1, which is not supported');
    return call.importer.activation('silu', call.input(0));
  },
  Tanh: unary('tanh'),
  Softplus: unary('softplus'),
  Mish: unary('mish'),
  Gelu: (call) =>
    call.importer.activation(
      call.string('approximate', 'none') === 'tanh' ? 'gelu-tanh' : 'gelu',
      call.input(0),
    ),
  Erf: unary('erf'),
  Exp: unary('exp', undefined, Math.exp),
  Log: unary('log', undefined, Math.log),
  Sqrt: unary('sqrt', undefined, Math.sqrt),
  Abs: unary('abs', undefined, Math.abs),
  Neg: unary(
    'linear',
    () => [-1, 0],
    (x) => -x,
  ),
  Reciprocal: reciprocal,
  Clip: clip,
  Pow: power,
  Add: binary('add'),
  Sub: binary('subtract'),
  Mul: binary('multiply'),
  Div: binary('divide'),
  Max: variadic('maximum'),
  Min: variadic('minimum'),
  Sum: variadic('add'),
  Mean: variadic('add', true),
  Softmax: softmax,
  LogSoftmax: (call) => call.importer.activation('log', softmax(call) as Value),
  Identity: same,
  Dropout: same,
  Cast: (call) => {
    const x = call.input(0);
    const integer = [2, 3, 4, 5, 6, 7].includes(call.int('to', 1));
    return x.kind === 'numbers' && integer ? numbersValue(x.data.map(Math.trunc), x.shape) : x;
  },
};
