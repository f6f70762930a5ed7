/** @file ONNX operators on single entries, arithmetic, and softmax. */
import { UserError } from '../../../core/errors.js';
import { integerTypes, onnxTypes } from '../../../engine/compiler/onnx-proto.js';
import type { ActivationName, BinaryOp } from '../../layers/op.js';
import { broadcast, combined } from '../arrays.js';
import { softmaxed } from '../combining.js';
import { type ConstantValue, type ForeignValue, numbersValue } from '../values.js';
import type { OnnxCall, OnnxRule } from './context.js';

type Settings = (call: OnnxCall) => readonly [a?: number, b?: number];

/** A function of each entry; of constants it makes a constant. */
const unary =
  (name: ActivationName, settings: Settings = () => []): OnnxRule =>
  (call) =>
    call.importer.activation(name, call.input(0), ...settings(call));

const binary =
  (kind: BinaryOp['kind']): OnnxRule =>
  (call) =>
    call.importer.binary(kind, call.input(0), call.input(1));

/** Any number of inputs. */
const variadic =
  (kind: BinaryOp['kind'], mean = false): OnnxRule =>
  (call) => {
    const first = call.input(0);
    const sum = call.inputs.reduce<ForeignValue>(
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
  if (call.input(0).kind !== 'node' && call.input(1).kind !== 'node') return constantPower(call);
  const [exponent, ...more] = call.importer.numbers(call.input(1), 'the exponent');
  if (more.length > 0) throw new UserError('has more than one exponent, which is not supported');
  return call.importer.activation('power', call.input(0), exponent);
};

const constantPower: OnnxRule = ({ importer, inputs }) => {
  const [base, exponent] = inputs as [ConstantValue, ConstantValue];
  const [a, b] = [importer.shape(base), importer.shape(exponent)];
  const shape = broadcast('raise', a, b);
  return importer.fold(shape, importer.isInteger(base), [base, exponent], () =>
    combined(shape, [importer.entries(base), a], [importer.entries(exponent), b], (x, y) => x ** y),
  );
};

const reciprocal: OnnxRule = (call) =>
  call.importer.binary('divide', numbersValue([1], [], false), call.input(0));

const softmax: OnnxRule = (call) => {
  const { importer } = call;
  const value = call.input(0);
  const shape = importer.shape(value);
  const axis = call.axis(call.int('axis', call.opset < 13 ? 1 : -1), shape.length);
  // Before version 13: over this axis and all after it together.
  if (call.opset < 13 && shape.slice(axis + 1).some((dim) => dim !== 1)) {
    throw new UserError(`is a softmax over several axes, [${shape.slice(axis)}], which is not supported`);
  }
  return softmaxed(importer, value, axis);
};

/** ONNX's defaults are the numbers of the publication, rounded: as many digits as float32 has. */
const selu: OnnxRule = (call) => {
  const [alpha, gamma] = [call.float('alpha', seluDefaults.alpha), call.float('gamma', seluDefaults.gamma)];
  const usual = Math.abs(alpha - seluDefaults.alpha) < 1e-6 && Math.abs(gamma - seluDefaults.gamma) < 1e-6;
  return call.importer.activation('selu', call.input(0), ...(usual ? [] : [alpha, gamma]));
};

const seluDefaults = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 } as const;

const same: OnnxRule = (call) => call.input(0);

export const onnxElementwise: Readonly<Record<string, OnnxRule>> = {
  Relu: unary('relu'),
  LeakyRelu: unary('leaky-relu', (call) => [call.float('alpha', 0.01)]),
  Elu: unary('elu', (call) => [call.float('alpha', 1)]),
  Selu: selu,
  Sigmoid: unary('sigmoid'),
  HardSigmoid: unary('hard-sigmoid', (call) => [call.float('alpha', 0.2), call.float('beta', 0.5)]),
  HardSwish: unary('hard-swish'),
  Swish: (call) => scaledSigmoid(call, 1),
  QuickGelu: (call) => scaledSigmoid(call, 1.702),
  Tanh: unary('tanh'),
  Softplus: unary('softplus'),
  Mish: unary('mish'),
  Gelu: (call) =>
    call.importer.activation(
      call.string('approximate', 'none') === 'tanh' ? 'gelu-tanh' : 'gelu',
      call.input(0),
    ),
  Erf: unary('erf'),
  Exp: unary('exp'),
  Log: unary('log'),
  Sqrt: unary('sqrt'),
  Abs: unary('abs'),
  Floor: unary('floor'),
  Ceil: unary('ceil'),
  Round: unary('round'),
  Sign: unary('sign'),
  Neg: unary('linear', () => [-1, 0]),
  Not: (call) =>
    call.importer.binary(
      'subtract',
      numbersValue([1], []),
      call.importer.activation('nonzero', call.input(0)),
    ),
  Mod: (call) => {
    const [a, b] = [call.input(0), call.input(1)];
    if (a.kind === 'node' || b.kind === 'node') throw new UserError('is a remainder of activations');
    const shape = broadcast('divide', call.importer.shape(a), call.importer.shape(b));
    return call.importer.fold(shape, call.importer.isInteger(a), [a, b], () =>
      combined(
        shape,
        [call.importer.entries(a), call.importer.shape(a)],
        [call.importer.entries(b), call.importer.shape(b)],
        (x, y) => (call.int('fmod', 0) === 1 ? x % y : x - y * Math.floor(x / y)),
      ),
    );
  },
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
  LogSoftmax: (call) => call.importer.activation('log', softmax(call) as ForeignValue),
  Identity: same,
  Dropout: same,
  Cast: (call) => {
    const { importer } = call;
    const x = call.input(0);
    const to = call.int('to', 1);
    if (to === onnxTypes.bool) return importer.activation('nonzero', x);
    const whole = integerTypes.has(to);
    if (x.kind === 'node') return whole ? importer.activation('truncate', x) : x;
    if (whole === importer.isInteger(x)) return x;
    const cut = whole ? Math.trunc : (value: number): number => value;
    return importer.fold(importer.shape(x), whole, [x], () => Float64Array.from(importer.entries(x), cut));
  },
  CastLike: same,
  If: (call) => {
    const [condition] = call.importer.numbers(call.input(0), 'the condition');
    const branch = call.graph(condition === 0 ? 'else_branch' : 'then_branch');
    if (!branch) throw new UserError('lacks the branch that is taken');
    return call.inner(branch);
  },
  FastGelu: (call) => {
    const { importer, inputs } = call;
    const x = inputs[1] ? importer.binary('add', call.input(0), inputs[1]) : call.input(0);
    return importer.activation('gelu-tanh', x);
  },
  BiasGelu: (call) =>
    call.importer.activation('gelu', call.importer.binary('add', call.input(0), call.input(1))),
};

/** x sigmoid(alpha x). */
function scaledSigmoid(call: OnnxCall, usual: number): ForeignValue {
  const alpha = call.float('alpha', usual);
  const x = call.input(0);
  if (alpha === 1) return call.importer.activation('silu', x);
  const gate = call.importer.activation('sigmoid', call.importer.activation('linear', x, alpha, 0));
  return call.importer.binary('multiply', x, gate);
}
