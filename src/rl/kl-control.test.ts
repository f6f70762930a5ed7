import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextBeta } from './kl-control.js';

describe('nextBeta', () => {
  it('stays where there is no target, and at the target', () => {
    expect(nextBeta(0.3, 7, undefined)).toBe(0.3);
    expect(nextBeta(0.3, 7, 7)).toBe(0.3);
  });

  it('rises where the divergence is too large, falls where it is too small, by at most a twentieth', () => {
    const positive = fc.double({ min: 1e-3, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(positive, positive, positive, (beta, kl, target) => {
        const ratio = nextBeta(beta, kl, target) / beta;
        expect(Math.sign(ratio - 1) * Math.sign(kl - target)).toBeGreaterThanOrEqual(0);
        expect(Math.abs(ratio - 1)).toBeLessThanOrEqual(0.05 + 1e-12);
      }),
    );
  });

  it('brings a divergence that falls with beta to the target', () => {
    let beta = 0.01;
    for (let step = 0; step < 400; step++) beta = nextBeta(beta, 1 / beta, 8);
    expect(1 / beta).toBeCloseTo(8, 2);
  });
});
