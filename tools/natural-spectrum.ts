/**
 * @file Measures the magnitudes of photographs' Fourier spectra, in decorrelated colours, and fits the formula of
 * src/vision/natural-spectrum.ts; prints its coefficients and how well they fit.
 *
 *   npx tsx tools/natural-spectrum.ts --pictures tiny-imagenet-train.tar --cache FILE [--count 8192]
 */
import { parseArgs } from 'node:util';
import { compile } from '../src/engine/compile.js';
import * as tf from '../src/engine/functions/tfjs.js';
import { LOWEST_MEASURED, spectrumTerms } from '../src/vision/natural-spectrum.js';
import { fromColours } from '../src/vision/parameterizations/colour.js';
import { forwardTransform } from '../src/vision/parameterizations/fourier.js';
import { loadPictures, PICTURE_SIZE } from './pictures.js';

const { values: options } = parseArgs({
  options: {
    pictures: { type: 'string' },
    cache: { type: 'string' },
    count: { type: 'string', default: '8192' },
  },
});
if (!options.pictures || !options.cache) throw new Error('give --pictures and --cache');

const BATCH = 128;
const [height, width] = [PICTURE_SIZE, PICTURE_SIZE];
const columns = width / 2 + 1;
const plane = height * columns;

/** Falls to 0 at the borders (Hann), which else would count as edges, with a mean square of 1. `[height * width]` */
function window(): Float32Array {
  const along = (size: number) =>
    Array.from({ length: size }, (_, i) => Math.sqrt(8 / 3) * Math.sin((Math.PI * (i + 0.5)) / size) ** 2);
  const [rows, columns] = [along(height), along(width)];
  return Float32Array.from(rows.flatMap((row) => columns.map((column) => row * column)));
}

/** Mean magnitude of each frequency over sqrt(height * width), `[channel, height, columns]`. */
async function meanMagnitudes(): Promise<Float64Array> {
  const { pixels, labels } = await loadPictures(options.pictures!, options.cache!);
  const compiled = await compile(
    ({ picture }) => {
      const values = fromColours(picture as tf.Tensor4D);
      const centred = tf.sub(values, tf.mean(values, [1, 2], true));
      const windowed = tf.mul(centred, tf.tensor4d(window(), [1, height, width, 1]));
      const spectrum = forwardTransform(windowed as tf.Tensor4D); // [batch, 3, 2 * height, columns]
      const [real, imaginary] = tf.split(spectrum, 2, 2) as [tf.Tensor, tf.Tensor];
      const magnitude = tf.sqrt(tf.add(tf.square(real), tf.square(imaginary)));
      return { sum: tf.sum(magnitude, 0) };
    },
    { inputs: { picture: { shape: [BATCH, height, width, 3] } } },
  );
  const batches = Math.floor(Math.min(Number(options.count), labels.length) / BATCH);
  const stride = Math.floor(labels.length / (batches * BATCH));
  const row = height * width * 3;
  const means = new Float64Array(3 * plane);
  for (let batch = 0; batch < batches; batch++) {
    const picture = new Float32Array(BATCH * row);
    for (let i = 0; i < BATCH; i++) {
      const at = (batch * BATCH + i) * stride * row;
      picture.set(
        Float32Array.from(pixels.subarray(at, at + row), (byte) => byte / 255),
        i * row,
      );
    }
    const { sum } = await compiled.run({ picture });
    for (const [k, x] of sum!.entries()) means[k]! += x / (batches * BATCH * Math.sqrt(height * width));
  }
  compiled.dispose();
  return means;
}

/** Least squares by the normal equations and Gauss-Jordan elimination. */
function leastSquares(rows: readonly (readonly number[])[], values: readonly number[]): number[] {
  const n = rows[0]!.length;
  const system = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n + 1 }, (_, j) =>
      rows.reduce((sum, row, k) => sum + row[i]! * (j < n ? row[j]! : values[k]!), 0),
    ),
  );
  for (let i = 0; i < n; i++) {
    const pivot = system[i]![i]!;
    for (let j = i; j <= n; j++) system[i]![j]! /= pivot;
    for (let k = 0; k < n; k++) {
      if (k === i) continue;
      const factor = system[k]![i]!;
      for (let j = i; j <= n; j++) system[k]![j]! -= factor * system[i]![j]!;
    }
  }
  return system.map((row) => row[n]!);
}

const means = await meanMagnitudes();
const frequencies = Array.from({ length: plane }, (_, k): [number, number] => {
  const row = Math.floor(k / columns);
  return [(row <= height / 2 ? row : row - height) / height, (k % columns) / width];
});
/** The window blurs what is slower. */
const wanted = frequencies.flatMap(([fy, fx], k) => (Math.hypot(fy, fx) >= LOWEST_MEASURED ? [k] : []));
const terms = wanted.map((k) => spectrumTerms(...frequencies[k]!));
/** Rings of equal width in octaves count alike, though the slow ones have few frequencies. */
const shares = wanted.map((k) => 1 / Math.hypot(...frequencies[k]!));
for (const channel of [0, 1, 2]) {
  const values = wanted.map((k) => Math.log(means[channel * plane + k]!));
  const fit = leastSquares(
    terms.map((row, k) => row.map((term) => term * shares[k]!)),
    values.map((value, k) => value * shares[k]!),
  );
  const errors = terms.map((row, k) => values[k]! - row.reduce((sum, term, i) => sum + term * fit[i]!, 0));
  const rms = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / errors.length);
  console.log(`[${fit.map((x) => x.toFixed(4)).join(', ')}], // off by ${(100 * rms).toFixed(1)} %`);
}
process.exit(0);
