/** @file ONNX operators of quantized models: computed in floating point, activations without their rounding. */
import { UserError } from '../../../core/errors.js';
import type { arithmetic } from '../arrays.js';
import { multiplied } from '../combining.js';
import { type ConstantValue, type ForeignValue, numbersValue } from '../values.js';
import type { OnnxCall, OnnxRule } from './context.js';
import { conv } from './layers.js';

function constant(value: ForeignValue | undefined, what: string): ConstantValue {
  if (value && value.kind !== 'node') return value;
  throw new UserError(`${what} must be known numbers, not computed from the picture`);
}

/** One number, or one for each entry of an axis, with as many axes as `value`. */
function along(call: OnnxCall, setting: ForeignValue, value: ForeignValue, axis: number): ForeignValue {
  const { importer } = call;
  const [size = 1, ...more] = importer.shape(setting);
  const shape = importer.shape(value);
  if (more.length > 0) throw new UserError('is quantized in blocks, which is not supported');
  return importer.reshape(setting, size === 1 ? [] : shape.map((_, i) => (i === axis ? size : 1)));
}

/** (value - zero) * scale, for integers that stand in the file. */
function dequantized(
  call: OnnxCall,
  value: ForeignValue,
  scale: ForeignValue,
  zero: ForeignValue | undefined,
  axis: number,
): ForeignValue {
  const { importer } = call;
  const whole = constant(value, 'what is dequantized');
  const centred = zero
    ? importer.binary('subtract', whole, along(call, constant(zero, 'the zero point'), whole, axis))
    : whole;
  return importer.binary('multiply', centred, along(call, constant(scale, 'the scale'), whole, axis));
}

const axisIn = (call: OnnxCall): number => {
  const rank = call.importer.shape(call.input(0)).length;
  return rank === 0
    ? 0
    : Math.max(0, Math.min(rank - 1, call.int('axis', 1) + (call.int('axis', 1) < 0 ? rank : 0)));
};

const dequantize: OnnxRule = (call) => {
  const x = call.input(0);
  return x.kind === 'node' ? x : dequantized(call, x, call.input(1), call.inputs[2], axisIn(call));
};

/** An activation stays what it is; constants are rounded, as what reads them expects. */
const quantize: OnnxRule = (call) => {
  const { importer } = call;
  const x = call.input(0);
  if (x.kind === 'node') return x;
  const scale = along(call, constant(call.input(1), 'the scale'), x, axisIn(call));
  const rounded = importer.activation('round', importer.binary('divide', x, scale));
  const zero = call.inputs[2];
  return zero ? importer.binary('add', rounded, along(call, zero, x, axisIn(call))) : rounded;
};

/** x, its scale, its zero point, w, its scale, its zero point, those of the result, bias in units of both scales. */
const qLinearConv: OnnxRule = (call) => {
  const { importer } = call;
  const weight = dequantized(call, call.input(3), call.input(4), call.inputs[5], 0);
  const bias = call.inputs[8];
  const unit = importer.binary('multiply', call.input(1), call.input(4));
  return conv(call.withInputs([call.input(0), weight, bias && importer.binary('multiply', bias, unit)]));
};

const qLinearMatMul: OnnxRule = (call) => {
  const b = call.input(3);
  const weight = b.kind === 'node' ? b : dequantized(call, b, call.input(4), call.inputs[5], 1);
  return multiplied(call.importer, call.input(0), weight);
};

/** Two activations with their scales and zero points, which are left out. */
const qLinear =
  (kind: keyof typeof arithmetic): OnnxRule =>
  (call) =>
    call.importer.binary(kind, operand(call, 0), operand(call, 3));

const operand = (call: OnnxCall, i: number): ForeignValue => {
  const value = call.input(i);
  return value.kind === 'node' ? value : dequantized(call, value, call.input(i + 1), call.inputs[i + 2], 0);
};

/** The picture as it is, with a scale of 1. */
const dynamic: OnnxRule = (call) => [call.input(0), numbersValue([1], [], false), numbersValue([0], [])];

const centred = (call: OnnxCall, axis: number): ForeignValue => {
  const { importer } = call;
  const weight = call.input(1);
  const zero = call.inputs[3];
  const whole = zero ? importer.binary('subtract', weight, along(call, zero, weight, axis)) : weight;
  return importer.binary('multiply', whole, numbersValue([1], [], false));
};

export const quantized: Readonly<Record<string, OnnxRule>> = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
  DynamicQuantizeLinear: dynamic,
  QLinearConv: qLinearConv,
  QLinearMatMul: qLinearMatMul,
  QLinearAdd: qLinear('add'),
  QLinearMul: qLinear('multiply'),
  ConvInteger: (call) => conv(call.withInputs([call.input(0), centred(call, 0)])),
  MatMulInteger: (call) => multiplied(call.importer, call.input(0), centred(call, 1)),
};
