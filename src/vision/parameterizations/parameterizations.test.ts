import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { compile } from '../../engine/compile.js';
import { naturalPictures } from '../natural.js';
import { parameterizations } from './index.js';
import type { Parameterization } from './parameterization.js';

async function picturesOf({ picture, shape }: Parameterization, parameter: Float32Array) {
  const compiled = await compile(({ p }) => ({ pictures: picture(p!) }), { inputs: { p: { shape } } });
  const { pictures } = await compiled.run({ p: parameter });
  compiled.dispose();
  return pictures as Float32Array;
}

const shape = { batch: 2, height: 16, width: 15, channels: 3 };
const photographs = naturalPictures(new Random(1), 2, 16, 15).map((value) => 0.1 + 0.8 * value);
const largest = (a: Float32Array, b: Float32Array) =>
  Math.max(...a.map((value, k) => Math.abs(value - b[k]!)));
const mean = (list: Float32Array) => list.reduce((a, b) => a + b, 0) / list.length;

describe('parameterizations', () => {
  it.each(['fft', 'pixel'] as const)('%s gives a picture back', async (name) => {
    const parameterization = parameterizations[name](shape);
    const pictures = await picturesOf(parameterization, await parameterization.fromPictures(photographs));
    expect(largest(pictures, photographs)).toBeLessThan(2e-4);
  });

  it('fft mixes the first three planes of RGBA as colours', async () => {
    const [rgb, rgba] = [3, 4].map((channels) =>
      parameterizations.fft({ ...shape, batch: 1, channels, input: 'colors' }),
    ) as [Parameterization, Parameterization];
    const parameter = rgba.noise(new Random(3)).map((value) => 5 * value);
    const planes = await picturesOf(rgba, parameter);
    const colours = await picturesOf(rgb, parameter.subarray(0, (parameter.length * 3) / 4));
    expect(
      largest(
        planes.filter((_, k) => k % 4 < 3),
        colours,
      ),
    ).toBeLessThan(1e-5);
  });

  it('maco keeps what lies where, at the contrast of its spectrum', async () => {
    const maco = parameterizations.maco(shape);
    const pictures = await picturesOf(maco, await maco.fromPictures(photographs));
    const centre = [mean(pictures), mean(photographs)];
    let [product, first, second] = [0, 0, 0];
    pictures.forEach((value, k) => {
      const [a, b] = [value - centre[0]!, photographs[k]! - centre[1]!];
      product += a * b;
      first += a * a;
      second += b * b;
    });
    expect(product / Math.sqrt(first * second)).toBeGreaterThan(0.5);
  });

  it.each(['fft', 'pixel', 'maco'] as const)('%s starts from noise that the seed decides', async (name) => {
    const parameterization = parameterizations[name](shape);
    const noise = parameterization.noise(new Random(5));
    expect(noise).toEqual(parameterization.noise(new Random(5)));
    expect(noise).not.toEqual(parameterization.noise(new Random(6)));
    const pictures = await picturesOf(parameterization, noise);
    expect(Math.min(...pictures)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...pictures)).toBeLessThanOrEqual(1);
    expect(Math.abs(mean(pictures) - 0.5)).toBeLessThan(0.1);
    expect(Math.max(...pictures) - Math.min(...pictures)).toBeGreaterThan(0.005);
  });

  it('fft of lucid: one coefficient of 1 at the lowest frequency', async () => {
    const size = 8;
    const fft = parameterizations.fft({ batch: 1, height: size, width: size, channels: 1 });
    const parameter = new Float32Array(2 * size * 5);
    parameter[1] = 1; // fy 0, fx 1, real
    const pictures = await picturesOf(fft, parameter);
    // irfft2 of scale = sqrt(w h) / f, over 4: amplitude 2 * scale / (w h) / 4, through a sigmoid.
    const amplitude = (2 * (size / (1 / size))) / (size * size) / 4;
    const expected = Array.from(
      { length: size },
      (_, x) => 1 / (1 + Math.exp(-amplitude * Math.cos((2 * Math.PI * x) / size))),
    );
    expect(largest(pictures.slice(0, size), Float32Array.from(expected))).toBeLessThan(1e-5);
  });
});
