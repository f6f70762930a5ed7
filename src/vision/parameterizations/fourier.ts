/**
 * @file The two-dimensional Fourier transform of real pictures as two matrix products each way.
 *
 * A spectrum is [batch, channel, 2 * height, columns]: frequencies fy = 0, 1, … , -2, -1 along the rows, the real parts
 * above the imaginary ones; fx = 0 … floor(width / 2) along the columns (the rest is their mirror image).
 * Scaled like NumPy's `rfft2` and `irfft2`. At picture size this is exact, differentiable and quicker than the network.
 */

import { onceEach } from '../../core/once.js';
import * as tf from '../../engine/functions/tfjs.js';

/** Number of frequencies along a row. */
export function frequencyColumns(width: number): number {
  return Math.floor(width / 2) + 1;
}

/** A constant matrix by a formula of row and column. */
function matrix(rows: number, columns: number, entry: (row: number, column: number) => number): tf.Tensor2D {
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) data[i * columns + j] = entry(i, j);
  return tf.tensor2d(data, [rows, columns]);
}

/** cos and sin of 2 pi k / n, k = 0 … n - 1: of a matrix of n x n all that differ. */
const circle = onceEach((n: number) => {
  const angles = Float64Array.from({ length: n }, (_, k) => (2 * Math.PI * k) / n);
  return { cosines: angles.map(Math.cos), sines: angles.map(Math.sin) };
});

/** cos and sin of 2 pi a b / n; the product modulo n first, which keeps large sizes exact. */
const cosine = (a: number, b: number, n: number): number => circle(n).cosines[(a * b) % n]!;
const sine = (a: number, b: number, n: number): number => circle(n).sines[(a * b) % n]!;

/** Rows of a complex column transform as a real matrix [2n, 2n]: (re, im) to (re, im), exponent of the given sign. */
function complexTransform(n: number, sign: 1 | -1): tf.Tensor2D {
  return matrix(2 * n, 2 * n, (row, column) => {
    const [i, j] = [row % n, column % n];
    if (row < n === column < n) return cosine(i, j, n);
    return row < n ? -sign * sine(i, j, n) : sign * sine(i, j, n);
  });
}

/** The picture [batch, height, width, channel] of a spectrum. */
export function inverseTransform(spectrum: tf.Tensor4D, height: number, width: number): tf.Tensor4D {
  const [batch, channel, , columns] = spectrum.shape;
  const vertical = tf.reshape(complexTransform(height, 1), [1, 1, 2 * height, 2 * height]);
  const partial = tf.matMul(vertical, spectrum);
  // A frequency and its mirror image contribute alike; 0 and width / 2 have none.
  const share = (fx: number): number => (fx === 0 || 2 * fx === width ? 1 : 2) / (height * width);
  const real = matrix(columns, width, (fx, x) => share(fx) * cosine(fx, x, width));
  const imaginary = matrix(columns, width, (fx, x) => -share(fx) * sine(fx, x, width));
  // [batch, channel, 2, height, columns] with the two parts side by side: [batch * channel * height, 2 * columns]
  const parts = tf.transpose(tf.reshape(partial, [batch * channel, 2, height, columns]), [0, 2, 1, 3]);
  const rows = tf.matMul(
    tf.reshape(parts, [batch * channel * height, 2 * columns]),
    tf.concat([real, imaginary], 0),
  );
  return tf.transpose(tf.reshape(rows, [batch, channel, height, width]), [0, 2, 3, 1]) as tf.Tensor4D;
}

/** The spectrum of a picture [batch, height, width, channel]. */
export function forwardTransform(picture: tf.Tensor4D): tf.Tensor4D {
  const [batch, height, width, channel] = picture.shape;
  const columns = frequencyColumns(width);
  const planes = tf.reshape(tf.transpose(picture, [0, 3, 1, 2]), [batch * channel * height, width]);
  const horizontal = matrix(width, 2 * columns, (x, k) =>
    k < columns ? cosine(k, x, width) : -sine(k - columns, x, width),
  );
  // [batch * channel, height, 2, columns] with the real parts above the imaginary ones
  const parts = tf.transpose(
    tf.reshape(tf.matMul(planes, horizontal), [batch * channel, height, 2, columns]),
    [0, 2, 1, 3],
  );
  const vertical = tf.reshape(complexTransform(height, -1), [1, 1, 2 * height, 2 * height]);
  return tf.matMul(
    vertical,
    tf.reshape(parts, [batch, channel, 2 * height, columns]) as tf.Tensor4D,
  ) as tf.Tensor4D;
}

/** Frequencies in cycles a pixel, [height * columns] by rows. */
export function frequencies(height: number, width: number): Float32Array {
  const columns = frequencyColumns(width);
  return Float32Array.from({ length: height * columns }, (_, k) => {
    const row = Math.floor(k / columns);
    const fy = (row <= (height - 1) / 2 ? row : row - height) / height;
    return Math.hypot(fy, (k % columns) / width);
  });
}
