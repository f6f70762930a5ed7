/** @file What is known of a row by position, as the point that it is on the frontier. */
import type { Point } from '../../core/frontier.js';
import type { SequenceScore } from '../names.js';
import type { KnownRow } from '../sampling/known.js';

/** The point, and the position that speaks for it; null where not all of it is known, or it cannot be told by position. */
export function pointKnown(
  { logProbs, z, strongest }: KnownRow,
  at: SequenceScore,
): { readonly point: Point; readonly peak: number } | null {
  const last = z.length - 1;
  const positions = Array.from({ length: last }, (_, i) => i + 1);
  const isWhole = positions.every((t) => !Number.isNaN(z[t]!) && !Number.isNaN(logProbs[t]!));
  if (!isWhole || at === 'mean') return null;
  const largest = (values: Float32Array) => positions.reduce((a, b) => (values[a]! >= values[b]! ? a : b));
  const speaks = (values: Float32Array) => (at === 'last' ? last : largest(values));
  const peak = speaks(z);
  const rival = strongest[speaks(strongest)]!;
  return {
    point: {
      cross_entropy: -positions.reduce((sum, t) => sum + logProbs[t]!, 0) / last,
      z: z[peak]!,
      margin: Number.isNaN(rival) ? null : z[peak]! - rival,
    },
    peak,
  };
}
