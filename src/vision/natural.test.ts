import { expect, test } from 'vitest';
import { Random } from '../core/random.js';
import { naturalPictures } from './natural.js';

test('pictures have the colours and the smoothness of photographs', () => {
  const side = 64;
  const count = 12;
  const pictures = naturalPictures(new Random(1), count, side, side);
  expect(pictures).toHaveLength(count * side * side * 3);
  expect(pictures).toEqual(naturalPictures(new Random(1), count, side, side));
  const channel = (c: number): number[] =>
    Array.from({ length: pictures.length / 3 }, (_, k) => pictures[3 * k + c]!);
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const correlation = (a: number[], b: number[]): number => {
    const [ma, mb] = [mean(a), mean(b)];
    const cov = mean(a.map((v, i) => (v - ma) * (b[i]! - mb)));
    return cov / Math.sqrt(mean(a.map((v) => (v - ma) ** 2)) * mean(b.map((v) => (v - mb) ** 2)));
  };
  const [red, green, blue] = [channel(0), channel(1), channel(2)];
  expect(pictures.every((value) => value >= 0 && value <= 1)).toBe(true);
  expect(mean(green)).toBeGreaterThan(0.35);
  expect(mean(green)).toBeLessThan(0.57);
  expect(correlation(red, green)).toBeGreaterThan(0.8);
  expect(correlation(red, blue)).toBeGreaterThan(0.5);
  // Neighbours are alike, and the less the farther.
  const apart = (pixels: number): number => correlation(green.slice(pixels), green.slice(0, -pixels));
  expect(apart(1)).toBeGreaterThan(0.7);
  expect(apart(1)).toBeGreaterThan(apart(4));
  expect(apart(4)).toBeGreaterThan(apart(16));
  expect(naturalPictures(new Random(1), 1, 5, 7, 1)).toHaveLength(35);
});

test('pictures of a seed stay what they are: statistics and judgements of ranges are made with them', () => {
  const pictures = naturalPictures(new Random(1), 1, 6, 5);
  const found = [0, 44, 89].map((k) => pictures[k]);
  expect(found).toEqual([0.8528167605400085, 0.7393577098846436, 0.4297356605529785]);
});
