/** @file TensorFlow operations on single entries, and arithmetic. */
import { UserError } from '../../../core/errors.js';
import type { ActivationName, BinaryOp } from '../../layers/op.js';
import { numbersValue } from '../values.js';
import type { TfRule } from './context.js';

const unary =
  (name: ActivationName, a?: number, b?: number): TfRule =>
  (call) =>
    call.importer.activation(name, call.input(0), a, b);

const binary =
  (kind: BinaryOp['kind']): TfRule =>
  (call) =>
    call.importer.binary(kind, call.input(0), call.input(1));

const integerDivision: TfRule = (call) => {
  const [a, b] = [call.numbers(0, 'a size'), call.numbers(1, 'a size')];
  return numbersValue(
    a.map((x, i) => Math.floor(x / b[b.length === 1 ? 0 : i]!)),
    call.importer.shape(call.input(0)),
  );
};

const power: TfRule = (call) => {
  const [exponent, ...more] = call.numbers(1, 'the exponent');
  if (more.length > 0) throw new UserError('has more than one exponent, which is not supported');
  return call.importer.activation('power', call.input(0), exponent);
};

/** Weights stay weights, so that they can be a kernel or fold into one. */
const same: TfRule = (call) => call.input(0);

const squaredDifference: TfRule = (call) =>
  call.importer.activation('power', call.importer.binary('subtract', call.input(0), call.input(1)), 2);

const sum: TfRule = (call) =>
  call.inputs.slice(1).reduce((a, b) => call.importer.binary('add', a, b), call.input(0));

export const elementwise: Readonly<Record<string, TfRule>> = {
  Relu: unary('relu'),
  Relu6: unary('clip', 0, 6),
  Elu: unary('elu'),
  Selu: unary('selu'),
  Sigmoid: unary('sigmoid'),
  Tanh: unary('tanh'),
  Softplus: unary('softplus'),
  Erf: unary('erf'),
  Exp: unary('exp'),
  Log: unary('log'),
  Sqrt: unary('sqrt'),
  Rsqrt: unary('rsqrt'),
  Square: unary('power', 2),
  Abs: unary('abs'),
  Neg: unary('linear', -1, 0),
  Reciprocal: (call) => call.importer.binary('divide', numbersValue([1], []), call.input(0)),
  LeakyRelu: (call) => call.importer.activation('leaky-relu', call.input(0), call.number('alpha', 0.2)),
  ClipByValue: (call) =>
    call.importer.activation(
      'clip',
      call.input(0),
      call.numbers(1, 'the bound')[0],
      call.numbers(2, 'the bound')[0],
    ),
  Pow: power,
  Add: binary('add'),
  AddV2: binary('add'),
  BiasAdd: binary('add'),
  AddN: sum,
  Sub: binary('subtract'),
  Mul: binary('multiply'),
  RealDiv: binary('divide'),
  Div: binary('divide'),
  FloorDiv: integerDivision,
  Maximum: binary('maximum'),
  Minimum: binary('minimum'),
  SquaredDifference: squaredDifference,
  Identity: same,
  StopGradient: same,
  PreventGradient: same,
  Cast: same,
  Softmax: (call) => call.importer.plain(call.importer.graph.add({ kind: 'softmax' }, call.at(0))),
};
