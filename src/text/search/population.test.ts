import { describe, expect, it } from 'vitest';
import type { Candidate } from './candidate.js';
import { Population } from './population.js';

const candidate = (crossEntropy: number, z: number, margin = 0, token = 7): Candidate => ({
  ids: Int32Array.from([0, token]),
  peak: 1,
  cross_entropy: crossEntropy,
  z,
  margin,
  rivals: 0,
  report: { text: '', token_ids: [token], cross_entropy: crossEntropy, raw: z, z, margin, rank: 1 },
});
const prospect = (crossEntropy: number, z: number, margin: number, peakToken: number) => {
  const point = { cross_entropy: crossEntropy, z, margin };
  return { best: point, worst: point, peakToken };
};

describe('Population', () => {
  it('returns by how much it grew, in z and a little in margin', () => {
    const population = new Population();
    expect(population.add(candidate(4, 10, -1))).toBeCloseTo(20);
    expect(population.add(candidate(4, 8, 2))).toBeCloseTo(0.25 * 4);
    expect(population.add(candidate(5, 9, 1))).toBe(0);
    expect(population.area).toBeCloseTo(21);
  });

  it('could take what some part of it would', () => {
    const population = new Population();
    for (let token = 0; token < 8; token++) population.add(candidate(4.1, 10 + token, 0, token));
    expect(population.couldTake(prospect(4.2, 9, -1, 99), false)).toBe(false);
    expect(population.couldTake(prospect(4.2, 11, -1, 99), false)).toBe(true); // the weakest cell's place
    expect(population.couldTake(prospect(4.2, 9, 1, 99), false)).toBe(true); // more selective
    expect(population.couldTake(prospect(2, 1, -1, 99), false)).toBe(true); // more probable
    expect(population.couldTake(prospect(4.2, 9, 1, 99), true)).toBe(false); // less so than another
  });

  it('joined with another has the best of both', () => {
    const [one, other] = [new Population(), new Population()];
    one.add(candidate(2, 5));
    other.add(candidate(4, 10));
    other.add(candidate(4, 9, 3, 8));
    one.join(other);
    expect(one.strongest.members.map(({ z }) => z)).toEqual([5, 10]);
    expect(one.mostSelective.members.map(({ margin }) => margin)).toEqual([0, 3]);
    expect(one.niches.members).toHaveLength(3);
  });
});
