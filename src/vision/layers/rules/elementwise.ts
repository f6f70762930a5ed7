/** @file Functions of single entries, and arithmetic between two arrays. */

import { UserError } from '../../../core/errors.js';
import { gelu, geluTanh } from '../../../engine/functions/ops.js';
import * as tf from '../../../engine/functions/tfjs.js';
import { broadcastShape } from '../../../engine/tensor-spec.js';
import { shown } from '../../limits.js';
import { takeChannels } from '../channels.js';
import {
  type ActivationName,
  type ActivationOp,
  type BinaryOp,
  channelCount,
  type PreluOp,
  type Rule,
  type SelectOp,
} from '../op.js';
import { readParam } from '../params.js';
import { lifted } from './lift.js';

const hardSigmoid = (x: tf.Tensor, a: number, b: number): tf.Tensor =>
  tf.clipByValue(tf.add(tf.mul(x, a), b), 0, 1);

/** x above zero, a (exp(x) - 1) below. */
const exponentialLinear = (x: tf.Tensor, a: number): tf.Tensor =>
  tf.add(tf.relu(x), tf.mul(tf.sub(tf.exp(tf.neg(tf.relu(tf.neg(x)))), 1), a));

/** With the defaults of `a` and `b`. */
const activations: Record<ActivationName, (x: tf.Tensor, a?: number, b?: number) => tf.Tensor> = {
  relu: (x) => tf.relu(x),
  /** a: smallest, b: largest value */
  clip(x, a = Number.NEGATIVE_INFINITY, b = Number.POSITIVE_INFINITY) {
    if (a === 0 && b === 6) return tf.relu6(x);
    if (a === 0 && b === Number.POSITIVE_INFINITY) return tf.relu(x);
    return tf.clipByValue(x, a, b);
  },
  /** a: slope below zero */
  'leaky-relu': (x, a = 0.2) => tf.leakyRelu(x, a),
  /** a: minus the limit below zero */
  elu: (x, a = 1) => (a === 1 ? tf.elu(x) : exponentialLinear(x, a)),
  /** a: alpha, b: scale */
  selu: (x, a, b) => (a === undefined || b === undefined ? tf.selu(x) : tf.mul(exponentialLinear(x, a), b)),
  sigmoid: (x) => tf.sigmoid(x),
  /** clip(a x + b, 0, 1) */
  'hard-sigmoid': (x, a = 0.2, b = 0.5) => hardSigmoid(x, a, b),
  'hard-swish': (x) => tf.mul(x, hardSigmoid(x, 1 / 6, 0.5)),
  silu: (x) => tf.mul(x, tf.sigmoid(x)),
  tanh: (x) => tf.tanh(x),
  softplus: (x) => tf.softplus(x),
  mish: (x) => tf.mul(x, tf.tanh(tf.softplus(x))),
  gelu: (x) => gelu(x),
  'gelu-tanh': (x) => geluTanh(x),
  /** x sigmoid(1.702 x), as in CLIP */
  'gelu-quick': (x) => tf.mul(x, tf.sigmoid(tf.mul(x, 1.702))),
  /** a x + b */
  linear(x, a = 1, b = 0) {
    const scaled = a === 1 ? x : tf.mul(x, a);
    return b === 0 ? scaled : tf.add(scaled, b);
  },
  /** x ** a */
  power: (x, a = 1) => (a === 2 ? tf.square(x) : tf.pow(x, a)),
  exp: (x) => tf.exp(x),
  log: (x) => tf.log(x),
  sqrt: (x) => tf.sqrt(x),
  rsqrt: (x) => tf.rsqrt(x),
  abs: (x) => tf.abs(x),
  erf: (x) => tf.erf(x),
  floor: (x) => tf.floor(x),
  ceil: (x) => tf.ceil(x),
  round: (x) => tf.round(x),
  sign: (x) => tf.sign(x),
  truncate: (x) => tf.mul(tf.sign(x), tf.floor(tf.abs(x))),
  nonzero: (x) => tf.abs(tf.sign(x)),
};

export const activationRule: Rule<ActivationOp> = {
  shape(op, [input]) {
    if (Number.isNaN(op.a) || Number.isNaN(op.b)) throw new UserError('has a setting that is no number');
    return input!;
  },
  demand: (_op, channels) => [channels],
  run: (op, [x]) => lifted(op.name, x!, activations[op.name](x!, op.a, op.b)),
};

export const preluRule: Rule<PreluOp> = {
  shape(op, [input]) {
    const { shape } = op.slope;
    const fits =
      shape.length <= input!.length &&
      shape.every((dim, i) => dim === 1 || dim === input!.at(i - shape.length));
    if (!fits) throw new UserError(`the slopes [${shown(shape)}] do not fit [${input}]`);
    return input!;
  },
  demand: (_op, channels) => [channels],
  run(op, [x], { weights, channels }) {
    const whole = readParam(weights, op.slope);
    const slope = channels && channelCount(op.slope.shape) > 1 ? takeChannels(whole, channels) : whole;
    return tf.sub(tf.relu(x!), tf.mul(slope, tf.relu(tf.neg(x!))));
  },
};

const arithmetic = {
  add: tf.add,
  subtract: tf.sub,
  multiply: tf.mul,
  divide: tf.div,
  maximum: tf.maximum,
  minimum: tf.minimum,
} as const;

export const binaryRule: Rule<BinaryOp> = {
  shape(op, [a, b]) {
    try {
      return broadcastShape(a!, b!);
    } catch {
      throw new UserError(`cannot ${op.kind} arrays of [${a}] and [${b}]`);
    }
  },
  demand: (_op, channels, inputs) =>
    inputs.map((shape) => (channelCount(shape) === 1 ? undefined : channels)),
  run: (op, [a, b]) => arithmetic[op.kind](a!, b!),
};

export const selectRule: Rule<SelectOp> = {
  shape(_op, inputs) {
    try {
      return inputs.reduce((a, b) => broadcastShape(a, b));
    } catch {
      throw new UserError(
        `cannot choose between arrays of ${inputs.map((shape) => `[${shape}]`).join(' and ')}`,
      );
    }
  },
  run(_op, [condition, a, b]) {
    const shape = [condition!, a!, b!].map((x) => x.shape).reduce((a, b) => broadcastShape(a, b) as number[]);
    const [where, yes, no] = [condition!, a!, b!].map((x) => tf.broadcastTo(x, shape)) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    return tf.where(tf.notEqual(where, 0), yes, no);
  },
};
