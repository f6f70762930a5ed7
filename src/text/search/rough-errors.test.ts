import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { type Kinship, type Opinion, RoughErrors } from './rough-errors.js';

const opinion = (crossEntropy: number, z: number, kind: Kinship = 'related'): Opinion => ({
  point: { cross_entropy: crossEntropy, z, margin: null },
  peakToken: 7,
  kind,
});

describe('RoughErrors', () => {
  it('knows nothing at first', () => {
    const { best, worst, peakToken } = new RoughErrors().prospect(opinion(3, 5));
    expect(best).toEqual({ cross_entropy: 0, z: Infinity, margin: null });
    expect(worst).toEqual({ cross_entropy: Infinity, z: -Infinity, margin: null });
    expect(peakToken).toBe(7);
  });

  it('learns mean and spread of the errors, and gives z of a kept peak as it is', () => {
    const random = new Random(1);
    const errors = new RoughErrors();
    const noise = Array.from({ length: 400 }, () => 0.5 + 0.1 * random.normals(1)[0]!);
    errors.learn(
      noise.map((error) => opinion(3 + error, 5 - error)),
      noise.map(() => ({ cross_entropy: 3, z: 5, margin: null })),
    );
    const { best, worst } = errors.prospect(opinion(4, 6));
    expect(best.cross_entropy).toBeCloseTo(4 - 0.5 - 0.3, 1);
    expect(worst.cross_entropy).toBeCloseTo(4 - 0.5 + 0.3, 1);
    expect(best.z).toBeCloseTo(6 + 0.5 + 0.3, 1);
    expect(worst.z).toBeCloseTo(6 + 0.5 - 0.3, 1);

    const kept = errors.prospect(opinion(4, 6, 'same peak'));
    expect([kept.best.z, kept.worst.z]).toEqual([6, 6]);
    expect(kept.best.cross_entropy).toBe(0); // its kind was not seen yet
  });

  it('does not believe a few', () => {
    const errors = new RoughErrors();
    for (let seen = 1; seen <= 8; seen++) {
      errors.learn([opinion(4, 5)], [{ cross_entropy: 3, z: 5, margin: null }]);
      expect(errors.prospect(opinion(4, 5)).best.z).toBe(seen < 8 ? Infinity : 5);
    }
  });

  it('wants to learn from children all over, until it has seen enough of a kind', () => {
    const errors = new RoughErrors();
    const opinions = Array.from({ length: 64 }, (_, i) => opinion(4, 5, i < 32 ? 'related' : 'new'));
    expect([...errors.toLearnFrom(opinions)]).toEqual([
      ...[0, 4, 8, 12, 16, 20, 24, 28],
      ...[32, 36, 40, 44, 48, 52, 56, 60],
    ]);
    const exactly = { cross_entropy: 3, z: 5, margin: null };
    errors.learn(Array(6).fill(opinion(4, 5)), Array(6).fill(exactly));
    errors.learn(Array(8).fill(opinion(4, 5, 'new')), Array(8).fill(exactly));
    expect([...errors.toLearnFrom(opinions)]).toEqual([0, 16]);
  });

  it('estimates what a child is likely to be', () => {
    const errors = new RoughErrors();
    expect(errors.likely(opinion(4, 5)).best).toEqual({ cross_entropy: 4, z: 5, margin: null });
    errors.learn([opinion(4, 5)], [{ cross_entropy: 3, z: 5.5, margin: null }]);
    expect(errors.likely(opinion(4, 5)).best).toEqual({ cross_entropy: 3, z: 5.5, margin: null });
    expect(errors.likely(opinion(4, 5, 'same peak')).best.z).toBe(5);
  });

  it('goes with what it saw last', () => {
    const errors = new RoughErrors();
    const exactly = { cross_entropy: 3, z: 5, margin: null };
    errors.learn(Array(16).fill(opinion(4, 5)), Array(16).fill(exactly));
    for (let call = 0; call < 10; call++)
      errors.learn(Array(16).fill(opinion(3, 5)), Array(16).fill(exactly));
    const { best, worst } = errors.prospect(opinion(3, 5));
    expect(worst.cross_entropy - best.cross_entropy).toBeLessThan(0.2);
    expect(best.cross_entropy).toBeGreaterThan(2.85);
  });
});
