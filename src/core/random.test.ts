import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from './random.js';

describe('Random', () => {
  it('gives the same numbers for the same seed and others for another', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const [a, b] = [new Random(seed), new Random(seed)];
        expect(a.uniforms(8)).toEqual(b.uniforms(8));
        expect(new Random(seed + 1).uniforms(8)).not.toEqual(new Random(seed).uniforms(8));
      }),
    );
  });

  it('continues from a snapshot', () => {
    const random = new Random(3);
    random.uniforms(5);
    const copy = new Random(random.snapshot());
    expect(copy.uniforms(5)).toEqual(random.uniforms(5));
  });

  it('streams of different names are unrelated', () => {
    expect(Random.of(1, 'a').uniforms(4)).not.toEqual(Random.of(1, 'b').uniforms(4));
  });

  it('uniforms have the moments of [0, 1), normals of N(0, 1)', () => {
    const mean = (x: Float32Array) => x.reduce((a, b) => a + b, 0) / x.length;
    const uniforms = new Random(1).uniforms(100_000);
    expect(mean(uniforms)).toBeCloseTo(0.5, 2);
    expect(Math.max(...uniforms.slice(0, 50_000))).toBeLessThan(1);
    const normals = new Random(2).normals(100_000);
    expect(mean(normals)).toBeCloseTo(0, 1);
    expect(mean(normals.map((x) => x * x))).toBeCloseTo(1, 1);
  });

  it('draws indices in proportion to their weights', () => {
    const random = new Random(5);
    const counts = [0, 0, 0];
    for (let i = 0; i < 30_000; i++) counts[random.weighted([1, 0, 3])]!++;
    expect(counts[1]).toBe(0);
    expect(counts[2]! / counts[0]!).toBeCloseTo(3, 0);
  });
});
