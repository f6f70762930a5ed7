/** @file Pictures with the statistics of natural images but nothing in them. */
import type { Random } from '../core/random.js';

/** Mean and a square root of the covariance of ImageNet's pixels, in [0, 1] (lucid's `color.py`). */
const mean = [0.48, 0.46, 0.41];
const colour = [
  [0.26, 0.09, 0.02],
  [0.27, 0, -0.05],
  [0.27, -0.09, 0.03],
] as const;

/** Noise whose power falls as 1 / frequency^2, as that of photographs: each octave has the same variance. */
function octaveNoise(random: Random, height: number, width: number): Float32Array {
  const field = new Float32Array(height * width);
  const octaves = Math.max(1, Math.ceil(Math.log2(Math.max(height, width))));
  for (let octave = 0; octave < octaves; octave++) {
    const cell = 2 ** octave;
    const rows = Math.ceil(height / cell) + 2;
    const columns = Math.ceil(width / cell) + 2;
    const grid = random.normals(rows * columns);
    const [dy, dx] = [random.uniform(), random.uniform()];
    for (let i = 0; i < height; i++) {
      const y = i / cell + dy;
      const top = Math.floor(y);
      const a = y - top;
      for (let j = 0; j < width; j++) {
        const x = j / cell + dx;
        const left = Math.floor(x);
        const b = x - left;
        // The corner at the top left, and the one below it.
        const upper = top * columns + left;
        const lower = upper + columns;
        field[i * width + j]! +=
          (1 - a) * ((1 - b) * grid[upper]! + b * grid[upper + 1]!) +
          a * ((1 - b) * grid[lower]! + b * grid[lower + 1]!);
      }
    }
  }
  const scale = 1 / Math.sqrt(field.reduce((sum, v) => sum + v * v, 0) / field.length);
  return field.map((v) => v * scale);
}

/** `count` pictures [count, height, width, channels] in [0, 1]; grey where `channels` is not 3. */
export function naturalPictures(
  random: Random,
  count: number,
  height: number,
  width: number,
  channels = 3,
): Float32Array {
  const area = height * width;
  const pictures = new Float32Array(count * area * channels);
  for (let n = 0; n < count; n++) {
    const [f, g, h] = [0, 1, 2].map(() => octaveNoise(random, height, width)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    for (let k = 0; k < area; k++) {
      for (let c = 0; c < channels; c++) {
        const row = channels === 3 ? c : 0;
        const root = colour[row]!;
        const value = mean[row]! + (root[0] * f[k]! + root[1] * g[k]! + root[2] * h[k]!);
        pictures[(n * area + k) * channels + c] = Math.min(1, Math.max(0, value));
      }
    }
  }
  return pictures;
}
