/**
 * @file Activation functions that files spell as several nodes (GELU with Erf or Tanh, SiLU with Sigmoid), found by what
 * they compute of a few numbers, however they are spelled.
 */
import { activationNumbers } from '../layers/activation-numbers.js';
import type { GraphBuilder } from '../layers/graph.js';
import type { Op } from '../layers/op.js';
import { lowestPoints } from '../layers/rules/lift.js';
import { arithmetic } from './arrays.js';

/** One number of others, for operations on single entries. */
type Scalar = (inputs: readonly number[]) => number;

/** Those that units are lifted out of the dip of. */
const spelled = Object.keys(lowestPoints) as (keyof typeof lowestPoints)[];

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
    const name = spelled.find((name) =>
      samples.every((sample, i) => Math.abs(activationNumbers[name](sample) - values[i]!) < TOLERANCE),
    );
    if (name) return graph.add({ kind: 'activation', name }, x);
  }
  return last;
}

function scalar(op: Op): Scalar | undefined {
  if (op.kind === 'activation') {
    const { name, a, b } = op;
    return ([x]) => activationNumbers[name](x!, a, b);
  }
  if (!(op.kind in arithmetic)) return undefined;
  const of = arithmetic[op.kind as keyof typeof arithmetic];
  return ([x, y]) => of(x!, y!);
}
