/**
 * @file Which steps of a render can be computed in 8 bits: those of which no number is reported. The last ones are exact, so that
 * they take out of the picture what 8 bits have left in it.
 */

/** Every so-manieth step is computed in float32, for the curve of activations. */
const REPORTED = 8;

/** Share of a render's steps at its end that are computed in float32, and how many at the least. */
const LAST = 0.1;
const LEAST = 2;

/**
 * @param step - from 0
 * @param frameEvery - after how many steps a frame is kept, with its activation
 */
export function canBeRough(step: number, steps: number, frameEvery: number): boolean {
  const isReported = step % REPORTED === 0 || (step + 1) % frameEvery === 0;
  return !isReported && step < steps - Math.max(LEAST, Math.ceil(LAST * steps));
}
