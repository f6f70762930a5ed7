/**
 * @file What heads do on ordinary text, whatever excites them: how much they look at themselves, at the token before, at
 * the start, how far and how widely, and whether they do induction (Olsson et al. 2022).
 */
import { Random } from '../../core/random.js';
import { compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { padRows, stackRows } from '../lm/rows.js';
import type { Subject } from '../lm/subject.js';
import { forward } from '../lm/transformer.js';

/** Shares are of attention, averaged over positions past the first. */
export interface HeadStatistics {
  /** To the position itself, to the one before, to the start token. */
  self: number;
  previous: number;
  start: number;
  /** On random tokens that come twice: from the second to what followed the first. */
  induction: number;
  /** Of a position's attention, nats; and what it is at most, on average. */
  entropy: number;
  most_entropy: number;
  /** By distance from the position, 0 is itself: all attention but that to the start token. */
  distance: number[];
}

/** Sequences read for the shares, of ordinary text and of random tokens. */
const MOST_SEQUENCES = 32;
const BATCH = 8;
/** Random tokens that come twice. */
const REPEATED = 24;
/** Distances reported. */
const DISTANCES = 16;

/**
 * Statistics of all heads of some layers.
 *
 * @param text - ordinary text, `[count, positions]`, BOS in front
 * @returns by layer, then by head
 */
export async function headStatistics(
  subject: Subject,
  layers: readonly number[],
  text: readonly Int32Array[],
): Promise<ReadonlyMap<number, HeadStatistics[]>> {
  const ordinary = await meanPatterns(subject, layers, text.slice(0, MOST_SEQUENCES));
  const repeated = await meanPatterns(subject, layers, repeatedTokens(subject));
  return new Map(
    layers.map((layer) => {
      const induction = repeated.get(layer)!;
      return [
        layer,
        ordinary.get(layer)!.map((one, head) => ({
          ...sharesOf(one),
          induction: inductionOf(induction[head]!.pattern, induction[head]!.positions),
        })),
      ];
    }),
  );
}

interface MeanPattern {
  /** `[qPos, kPos]` */
  readonly pattern: Float64Array;
  /** By position, nats. */
  readonly entropy: Float64Array;
  readonly positions: number;
}

function sharesOf({ pattern, entropy, positions }: MeanPattern): Omit<HeadStatistics, 'induction'> {
  const at = (q: number, k: number) => pattern[q * positions + k]!;
  const queries = Array.from({ length: positions - 1 }, (_, i) => i + 1);
  const mean = (of: (q: number) => number) => queries.reduce((sum, q) => sum + of(q), 0) / queries.length;
  return {
    self: mean((q) => at(q, q)),
    previous: mean((q) => (q > 1 ? at(q, q - 1) : 0)),
    start: mean((q) => at(q, 0)),
    entropy: mean((q) => entropy[q]!),
    most_entropy: mean((q) => Math.log(q + 1)),
    distance: Array.from({ length: Math.min(DISTANCES, positions - 1) }, (_, far) =>
      mean((q) => (q - far > 0 ? at(q, q - far) : 0)),
    ),
  };
}

/** In `[BOS, r, r]`: attention from a token's second coming to what followed its first. */
function inductionOf(pattern: Float64Array, positions: number): number {
  const half = (positions - 1) / 2;
  let sum = 0;
  for (let i = 1; i < half; i++) sum += pattern[(half + i) * positions + i + 1]!;
  return sum / (half - 1);
}

function repeatedTokens({ spec, start, excluded }: Subject): Int32Array[] {
  const random = Random.of(0, 'induction');
  const banned = new Set(excluded());
  const usable = Array.from({ length: spec.vocab }, (_, id) => id).filter((id) => !banned.has(id));
  const length = Math.min(REPEATED, Math.floor((spec.context - 1) / 2));
  return Array.from({ length: BATCH }, () => {
    const tokens = Array.from({ length }, () => random.pick(usable));
    return Int32Array.from([start, ...tokens, ...tokens]);
  });
}

/** Patterns and entropies averaged over sequences: by layer, then by head. */
async function meanPatterns(
  { spec, weights, engine }: Subject,
  layers: readonly number[],
  rows: readonly Int32Array[],
): Promise<ReadonlyMap<number, MeanPattern[]>> {
  const positions = rows[0]!.length;
  const program = await compile(
    (inputs, lookup) => {
      const pass = forward(spec, lookup, { ids: inputs.ids! });
      return Object.fromEntries(
        layers.flatMap((layer) => {
          const pattern = pass.at(`blocks.${layer}.attn.hook_pattern`); // [batch, head, qPos, kPos]
          const entropy = tf.neg(tf.sum(tf.mul(pattern, tf.log(tf.maximum(pattern, 1e-20))), 3));
          return [
            [`pattern ${layer}`, pattern],
            [`entropy ${layer}`, entropy],
          ];
        }),
      );
    },
    { inputs: { ids: { shape: [BATCH, positions], dtype: 'int32' } }, weights, engine },
  );
  const means = new Map(
    layers.map((layer) => [
      layer,
      Array.from({ length: spec.heads }, () => ({
        pattern: new Float64Array(positions * positions),
        entropy: new Float64Array(positions),
        positions,
      })),
    ]),
  );
  try {
    for (let start = 0; start < rows.length; start += BATCH) {
      const part = rows.slice(start, start + BATCH);
      const read = await program.run({ ids: padRows(stackRows(part), BATCH, positions) });
      for (const [layer, heads] of means)
        for (const row of part.keys())
          for (const [head, mean] of heads.entries()) {
            const place = row * spec.heads + head;
            for (const name of ['pattern', 'entropy'] as const) {
              const sum = mean[name];
              const values = read[`${name} ${layer}`]!;
              for (let i = 0; i < sum.length; i++) sum[i]! += values[place * sum.length + i]! / rows.length;
            }
          }
    }
    return means;
  } finally {
    program.dispose();
  }
}
