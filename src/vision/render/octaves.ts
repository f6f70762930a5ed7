/** @file Progressive upscaling: the sizes, and pictures brought from one to the next. */
import { resample, resizeMatrix } from '../layers/resample.js';
import { computeOnce, type PictureShape } from '../parameterizations/parameterization.js';
import type { PictureSize } from '../picture-size.js';

/** Smaller than this a picture shows nothing, and few networks can read it. */
const SMALLEST = 32;

/** A size over the one before. */
const SCALE = 1.4;

/** Sizes of `count` octaves up to `size`, each 1.4 times the one before; those too small are left out. */
export function octaveSizes({ width, height }: PictureSize, count: number): PictureSize[] {
  const sizes = Array.from({ length: count }, (_, i) => {
    const factor = SCALE ** (count - 1 - i);
    return { width: Math.round(width / factor), height: Math.round(height / factor) };
  });
  const isReal = (octave: PictureSize): boolean =>
    Math.min(octave.width, octave.height) >= SMALLEST && octave.width < width && octave.height < height;
  return sizes.filter((octave, i) => i === count - 1 || isReal(octave));
}

/** Pictures [batch, height, width, channel] brought to another size, bicubic. */
export async function resized(
  pictures: Float32Array,
  shape: PictureShape,
  { width, height }: PictureSize,
): Promise<Float32Array> {
  if (shape.height === height && shape.width === width) return pictures;
  const along = (from: number, to: number) => resizeMatrix(from, to, { interpolation: 'cubic', cubic: -0.5 });
  const larger = await computeOnce(pictures, shape, (x) =>
    resample(x, along(shape.height, height), along(shape.width, width)),
  );
  return larger.map((value) => Math.min(1, Math.max(0, value)));
}
