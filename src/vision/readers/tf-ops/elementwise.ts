/** @file TensorFlow operations on single entries, and arithmetic. */
import { UserError } from '../../../core/errors.js';
import type { ActivationName, BinaryOp } from '../../layers/op.js';
import { compared, selected, softmaxed } from '../combining.js';
import { type ForeignValue, numbersValue } from '../values.js';
import type { TfRule } from './context.js';

const unary =
  (name: ActivationName, a?: number, b?: number): TfRule =>
  (call) =>
    call.importer.activation(name, call.input(0), a, b);

const binary =
  (kind: BinaryOp['kind']): TfRule =>
  (call) =>
    call.importer.binary(kind, call.input(0), call.input(1));

/** Rounded down; of constants. */
const integerDivision: TfRule = (call) => {
  const quotient = call.importer.binary('divide', asFloat(call.input(0)), asFloat(call.input(1)));
  const floor = call.importer.activation('floor', quotient);
  return floor.kind === 'numbers' ? { ...floor, integer: true } : floor;
};

const asFloat = (value: ForeignValue): ForeignValue =>
  value.kind === 'node' ? value : { ...value, integer: false };

const compare =
  (of: (a: number, b: number) => boolean): TfRule =>
  (call) =>
    compared(call.importer, call.input(0), call.input(1), of);

/** To integers what has a fraction, else nothing. */
const cast: TfRule = (call) => {
  const { importer } = call;
  const x = call.input(0);
  const to = call.type('DstT');
  if (to === 'DT_BOOL' || to === '10') return importer.activation('nonzero', x);
  const whole = /INT|^[3-69]$/.test(to);
  if (x.kind === 'node') return whole ? importer.activation('truncate', x) : x;
  if (whole === importer.isInteger(x)) return x;
  const cut = whole ? Math.trunc : (value: number): number => value;
  return importer.fold(importer.shape(x), whole, [x], () => Float64Array.from(importer.entries(x), cut));
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

export const tfElementwise: Readonly<Record<string, TfRule>> = {
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
  Reciprocal: (call) => call.importer.binary('divide', numbersValue([1], [], false), call.input(0)),
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
  Floor: unary('floor'),
  Ceil: unary('ceil'),
  Round: unary('round'),
  Sign: unary('sign'),
  Equal: compare((a, b) => a === b),
  NotEqual: compare((a, b) => a !== b),
  Greater: compare((a, b) => a > b),
  GreaterEqual: compare((a, b) => a >= b),
  Less: compare((a, b) => a < b),
  LessEqual: compare((a, b) => a <= b),
  LogicalAnd: compare((a, b) => a !== 0 && b !== 0),
  LogicalOr: compare((a, b) => a !== 0 || b !== 0),
  Select: (call) => selected(call.importer, call.input(0), call.input(1), call.input(2)),
  SelectV2: (call) => selected(call.importer, call.input(0), call.input(1), call.input(2)),
  Cast: cast,
  Softmax: (call) => softmaxed(call.importer, call.input(0), call.importer.shape(call.input(0)).length - 1),
};
