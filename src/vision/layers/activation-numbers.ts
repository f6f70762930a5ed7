/** @file The activation functions of single numbers: what readers work out of constants, and compare spellings with. */
import type { ActivationName } from './op.js';

const between = (x: number, low: number, high: number): number => Math.min(Math.max(x, low), high);

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** x above zero, a (exp(x) - 1) below. */
const exponentialLinear = (x: number, a: number): number => (x > 0 ? x : a * Math.expm1(x));

/** `a` and `b` as in the table of activations (`rules/elementwise.ts`), and by default as there. */
export const activationNumbers: Readonly<
  Record<ActivationName, (x: number, a?: number, b?: number) => number>
> = {
  relu: (x) => Math.max(0, x),
  clip: (x, a = Number.NEGATIVE_INFINITY, b = Number.POSITIVE_INFINITY) => between(x, a, b),
  'leaky-relu': (x, a = 0.2) => (x > 0 ? x : a * x),
  elu: (x, a = 1) => exponentialLinear(x, a),
  selu: (x, a = 1.6732632423543772, b = 1.0507009873554805) => b * exponentialLinear(x, a),
  sigmoid,
  'hard-sigmoid': (x, a = 0.2, b = 0.5) => between(a * x + b, 0, 1),
  'hard-swish': (x) => x * between(x / 6 + 0.5, 0, 1),
  silu: (x) => x * sigmoid(x),
  tanh: Math.tanh,
  softplus,
  mish: (x) => x * Math.tanh(softplus(x)),
  gelu: (x) => (x / 2) * (1 + erf(x * Math.SQRT1_2)),
  'gelu-tanh': (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  'gelu-quick': (x) => x * sigmoid(1.702 * x),
  linear: (x, a = 1, b = 0) => a * x + b,
  power: (x, a = 1) => x ** a,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  abs: Math.abs,
  erf,
  floor: Math.floor,
  ceil: Math.ceil,
  round: roundHalfEven,
  sign: Math.sign,
  truncate: Math.trunc,
  nonzero: (x) => (x === 0 ? 0 : 1),
};

/** To 1.5e-7 (Abramowitz and Stegun 7.1.26). */
function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const series =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - series * Math.exp(-x * x));
}

/** To the nearest integer, the even one of two. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
