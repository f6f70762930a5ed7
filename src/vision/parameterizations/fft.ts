/**
 * @file A Fourier spectrum in which every frequency is as easy to change as in photographs, in decorrelated colours
 * (Olah, Mordvintsev and Schubert, "Feature Visualization", 2017; formulas and constants of lucid's `spatial.py`).
 */
import type { Random } from '../../core/random.js';
import * as tf from '../../engine/functions/tfjs.js';
import { fromColours, toColours } from './colour.js';
import { forwardTransform, frequencies, frequencyColumns, inverseTransform } from './fourier.js';
import { computeOnce, type Parameterization, type PictureShape } from './parameterization.js';

/** Deviation of the spectrum that a start from noise has. */
const DEVIATION = 0.01;

/** Parameter [batch, channel, 2 * height, columns]: a spectrum divided by its frequency's scale. */
export function fft(shape: PictureShape): Parameterization {
  const { batch, height, width, channels, input } = shape;
  const columns = frequencyColumns(width);
  const lowest = 1 / Math.max(height, width);
  const scales = frequencies(height, width).map((f) => Math.sqrt(height * width) / (4 * Math.max(f, lowest)));
  // The same for real and imaginary parts: [1, 1, 2 * height, columns].
  const scale = (): tf.Tensor =>
    tf.tile(tf.tensor4d(scales, [1, 1, height, columns], 'float32'), [1, 1, 2, 1]);
  return {
    name: 'fft',
    shape: [batch, channels, 2 * height, columns],
    picture(parameter) {
      const spectrum = tf.mul(parameter, scale()) as tf.Tensor4D;
      return toColours(inverseTransform(spectrum, height, width), input);
    },
    noise: (random: Random) =>
      random.normals(batch * channels * 2 * height * columns).map((value) => value * DEVIATION),
    fromPictures: (pictures) =>
      computeOnce(pictures, shape, (x) => tf.div(forwardTransform(fromColours(x, input)), scale())),
  };
}
