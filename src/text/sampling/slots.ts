/** @file How many rows a sampler draws together where memory is short. */
import { sizeOf } from '../../engine/tensor-spec.js';
import { cacheNames, cacheShape } from '../lm/named-cache.js';
import type { Subject } from '../lm/subject.js';

/** Bytes that rows of models may take whose weights stay in half precision to save memory: with gaps between arrays, twice that. */
const MOST_BYTES = 2 ** 27;
/** Of fewer rows, reading the weights would be all of the work. */
const LEAST = 8;

/**
 * So many of the rows of a turn: a half, a quarter …, where key-value caches and logits would take what half precision saves.
 *
 * @param positions - of a sequence, BOS included
 */
export function slotsFor(
  { spec, weights }: Pick<Subject, 'spec' | 'weights'>,
  positions: number,
  turn: number,
): number {
  if (!weights.halves?.stay) return turn;
  // Each twice: a cache is there until the next is made, logits until they are transposed.
  const numbers = cacheNames(spec).length * sizeOf(cacheShape(spec, 1, positions)) + spec.vocab;
  let slots = turn;
  while (slots > LEAST && slots * 2 * 4 * numbers > MOST_BYTES) slots = Math.ceil(slots / 2);
  return slots;
}
