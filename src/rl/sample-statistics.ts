/** @file What samples of a language model are like: how strong, how probable, how different from one another. */
import type { ScoredText } from '../core/scored-text.js';

/** Means over samples; a type, so that it is JSON. */
export type SampleStatistics = {
  count: number;
  /** Sigmas: mean and standard deviation over the texts. */
  z: number;
  z_deviation: number;
  /** Nats a token under the frozen prior. */
  cross_entropy: number;
  /** Share of samples that no earlier one equals. */
  unique: number;
  /** Share of samples that survive decoding and encoding; z is theirs. */
  texts: number;
  /** Nats a sequence from the frozen prior, mean of ln q/p. */
  kl: number;
};

/**
 * @param ids - `[count, positions]`
 * @param texts - null for samples that are no text
 * @param logWeights - ln p/q, nats a sequence
 */
export function sampleStatistics(
  ids: Int32Array,
  texts: readonly (Pick<ScoredText, 'z'> | null)[],
  { crossEntropy, logWeights }: { crossEntropy: Float32Array; logWeights: Float32Array },
): SampleStatistics {
  const z = texts.flatMap((text) => (text === null ? [] : [text.z]));
  const centre = mean(z);
  return {
    count: texts.length,
    z: centre,
    z_deviation: Math.sqrt(mean(z.map((x) => (x - centre) ** 2))),
    cross_entropy: mean(crossEntropy),
    unique: uniqueShare(ids, texts.length),
    texts: z.length / texts.length,
    kl: -mean(logWeights),
  };
}

/** Different rows of `[count, positions]` over all. */
export function uniqueShare(ids: Int32Array, count: number): number {
  const positions = ids.length / count;
  const rows = Array.from({ length: count }, (_, row) =>
    ids.subarray(row * positions, (row + 1) * positions).join(),
  );
  return new Set(rows).size / count;
}

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
