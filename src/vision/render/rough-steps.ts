/**
 * @file Which steps of a render can be computed in 8 bits. The first and those of frames are exact, as their activations are those
 * of pictures that are kept; the last ones, so that they take out of the picture what 8 bits have left in it.
 */

/** One in so many steps is computed in float32, so that the curve of activations has exact ones too. */
const EXACT = 8;

/** Share of a render's steps at its end that are computed in float32, and how many at the least. */
const LAST = 0.1;
const LEAST = 2;

/**
 * @param step - from 0
 * @param frameEvery - after how many steps a frame is kept, with its activation
 */
export function canBeRough(step: number, steps: number, frameEvery: number): boolean {
  const isExact = step % EXACT === 0 || (step + 1) % frameEvery === 0;
  return !isExact && step < steps - Math.max(LEAST, Math.ceil(LAST * steps));
}
