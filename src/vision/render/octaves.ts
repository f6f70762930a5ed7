/** @file Progressive upscaling: the sizes, and pictures brought from one to the next. */
import { resample, resizeMatrix } from '../layers/resample.js';
import { computeOnce, type PictureShape } from '../parameterizations/parameterization.js';

/** Smaller than this a picture shows nothing, and few networks can read it. */
const SMALLEST = 32;

/** Sizes of `count` octaves up to `size`, each `scale` times the one before; those too small are left out. */
export function octaveSizes(size: number, count: number, scale: number): number[] {
  const sizes = Array.from({ length: count }, (_, i) => Math.round(size / scale ** (count - 1 - i)));
  return sizes.filter((octave, i) => i === count - 1 || (octave >= SMALLEST && octave < size));
}

/** Pictures [batch, height, width, channel] brought to a square of `size`, bicubic. */
export async function resized(
  pictures: Float32Array,
  shape: PictureShape,
  size: number,
): Promise<Float32Array> {
  if (shape.height === size && shape.width === size) return pictures;
  const along = (length: number) => resizeMatrix(length, size, { interpolation: 'cubic', cubic: -0.5 });
  const larger = await computeOnce(pictures, shape, (x) =>
    resample(x, along(shape.height), along(shape.width)),
  );
  return larger.map((value) => Math.min(1, Math.max(0, value)));
}
