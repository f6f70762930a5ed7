/**
 * @file Activation functions that files spell as several nodes (GELU with Erf or Tanh, SiLU with Sigmoid), found by what
 * they compute of a few numbers, however they are spelled.
 */
import type { GraphBuilder } from '../layers/graph.js';
import type { ActivationName, Op } from '../layers/op.js';
import { arithmetic, erf, functions } from './arrays.js';

/** One number of others, for operations on single entries. */
type Scalar = (inputs: readonly number[]) => number;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Those that the layer graph has as one operation, and lifts units out of the dip of. */
const spelled: readonly (readonly [ActivationName, (x: number) => number])[] = [
  ['gelu', (x) => (x / 2) * (1 + erf(x * Math.SQRT1_2))],
  ['gelu-tanh', (x) => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))],
  ['gelu-quick', (x) => x * sigmoid(1.702 * x)],
  ['silu', (x) => x * sigmoid(x)],
  ['hard-swish', (x) => x * Math.min(Math.max(x / 6 + 0.5, 0), 1)],
  ['mish', (x) => x * Math.tanh(Math.log1p(Math.exp(x)))],
];

const samples = [-6, -3.3, -2.1, -1.3, -0.75, -0.4, -0.1, 0, 0.2, 0.7, 1.6, 2.9, 4.5];

/** The two GELUs differ by 5e-4, constants that are written with six digits by less than this. */
const TOLERANCE = 1e-5;

/** The tanh form of GELU has 9. */
const MOST_NODES = 12;

/** The node itself, or one activation of an earlier node that computes the same. */
export function spelledActivation(graph: GraphBuilder, last: number): number {
  const inside: (readonly [node: number, compute: Scalar, inputs: readonly number[]])[] = [];
  const open = new Set([last]);
  while (inside.length < MOST_NODES) {
    // The latest first: all that reads it is inside by then.
    const node = Math.max(...open);
    const { op, inputs } = graph.op(node);
    const compute = scalar(op);
    if (!compute) return last;
    open.delete(node);
    inside.unshift([node, compute, inputs]);
    for (const input of inputs) open.add(input);
    const [x, ...more] = open;
    if (x === undefined || more.length > 0 || inside.length < 2) continue;
    const values = samples.map((sample) => {
      const known = new Map([[x, sample]]);
      for (const [at, of, from] of inside) known.set(at, of(from.map((input) => known.get(input)!)));
      return known.get(last)!;
    });
    const found = spelled.find(([, of]) =>
      samples.every((sample, i) => Math.abs(of(sample) - values[i]!) < TOLERANCE),
    );
    if (found) return graph.add({ kind: 'activation', name: found[0] }, x);
  }
  return last;
}

function scalar(op: Op): Scalar | undefined {
  if (op.kind === 'activation') {
    const { name, a = 1, b = 0 } = op;
    const of = functions[name];
    return of && (([x]) => of(x!, a, b));
  }
  if (!(op.kind in arithmetic)) return undefined;
  const of = arithmetic[op.kind as keyof typeof arithmetic];
  return ([x, y]) => of(x!, y!);
}
