/**
 * @file The magnitudes of a Fourier spectrum held at those of photographs, the phases optimized: a picture can show
 * more, but not more contrast (Fel et al., "MACO", arXiv 2306.06805).
 */
import type { Random } from '../../core/random.js';
import * as tf from '../../engine/functions/tfjs.js';
import { naturalMagnitudes } from '../natural-spectrum.js';
import { fromColours, toColours } from './colour.js';
import { forwardTransform, frequencyColumns, inverseTransform } from './fourier.js';
import { computeOnce, type Parameterization, type PictureShape } from './parameterization.js';

/** Parameter [batch, channel, height, columns]: phases in radians. */
export function maco(shape: PictureShape): Parameterization {
  const { batch, height, width, channels, input } = shape;
  const columns = frequencyColumns(width);
  const size = channels * height * columns;
  const plane = height * columns;
  const magnitudes = naturalMagnitudes(height, width, channels, input);
  return {
    name: 'maco',
    shape: [batch, channels, height, columns],
    picture(phase) {
      const magnitude = tf.tensor4d(magnitudes, [1, channels, height, columns]);
      const parts = [tf.mul(magnitude, tf.cos(phase)), tf.mul(magnitude, tf.sin(phase))];
      const values = inverseTransform(tf.concat(parts, 2) as tf.Tensor4D, height, width);
      const centred = tf.sub(values, tf.mean(values, [1, 2, 3], true));
      const deviation = tf.sqrt(tf.add(tf.mean(tf.square(centred), [1, 2, 3], true), 1e-8));
      return toColours(tf.div(centred, deviation) as tf.Tensor4D, input);
    },
    noise: (random: Random) => random.uniforms(batch * size).map((u) => (2 * u - 1) * Math.PI),
    async fromPictures(pictures) {
      const spectrum = await computeOnce(pictures, shape, (x) => forwardTransform(fromColours(x, input)));
      return Float32Array.from({ length: batch * size }, (_, k) => {
        // The second half of [2 * height, columns] is imaginary.
        const at = 2 * plane * Math.floor(k / plane) + (k % plane);
        return Math.atan2(spectrum[at + plane]!, spectrum[at]!);
      });
    },
  };
}
