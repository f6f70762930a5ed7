import { describe, expect, it } from 'vitest';
import { relativeError } from '../../../test/helpers/compare.js';
import { Random } from '../../core/random.js';
import { compile } from '../../engine/compile.js';
import type * as tf from '../../engine/functions/tfjs.js';
import { forwardTransform, frequencies, frequencyColumns, inverseTransform } from './fourier.js';

/** The spectrum by its definition: sum of x exp(-2 pi i (fy y / h + fx x / w)). */
function spectrumByDefinition(picture: Float32Array, height: number, width: number): Float32Array {
  const columns = frequencyColumns(width);
  const spectrum = new Float32Array(2 * height * columns);
  for (let fy = 0; fy < height; fy++) {
    for (let fx = 0; fx < columns; fx++) {
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const angle = -2 * Math.PI * ((fy * y) / height + (fx * x) / width);
          spectrum[fy * columns + fx]! += picture[y * width + x]! * Math.cos(angle);
          spectrum[(height + fy) * columns + fx]! += picture[y * width + x]! * Math.sin(angle);
        }
      }
    }
  }
  return spectrum;
}

const sizes = [
  [8, 8],
  [7, 9],
  [6, 5],
  [1, 4],
] as const;

describe('the Fourier transform', () => {
  it.each(sizes)('of %d x %d pictures is what its definition says, and comes back', async (height, width) => {
    const picture = new Random(3).normals(height * width);
    const compiled = await compile(
      ({ x }) => {
        const spectrum = forwardTransform(x as tf.Tensor4D);
        return { spectrum, back: inverseTransform(spectrum, height, width) };
      },
      { inputs: { x: { shape: [1, height, width, 1] } } },
    );
    const { spectrum, back } = await compiled.run({ x: picture });
    compiled.dispose();
    expect(relativeError(spectrum!, spectrumByDefinition(picture, height, width))).toBeLessThan(1e-5);
    expect(relativeError(back!, picture)).toBeLessThan(1e-5);
  });

  it('keeps pictures and channels of a batch apart', async () => {
    const pictures = new Random(4).normals(2 * 4 * 6 * 3);
    const compiled = await compile(
      ({ x }) => ({ back: inverseTransform(forwardTransform(x as tf.Tensor4D), 4, 6) }),
      { inputs: { x: { shape: [2, 4, 6, 3] } } },
    );
    const { back } = await compiled.run({ x: pictures });
    compiled.dispose();
    expect(relativeError(back!, pictures)).toBeLessThan(1e-5);
  });

  it('has the frequencies of NumPy', () => {
    // np.hypot(np.fft.fftfreq(4)[:, None], np.fft.rfftfreq(3))
    const expected = [0, 1 / 3, 0.25, 0.41666667, 0.5, 0.60092521, 0.25, 0.41666667];
    expect(relativeError(frequencies(4, 3), expected)).toBeLessThan(1e-6);
  });
});
