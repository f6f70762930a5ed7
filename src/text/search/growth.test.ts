import { describe, expect, it } from 'vitest';
import { Growth } from './growth.js';

const grown = (areas: readonly number[]) => {
  const growth = new Growth();
  for (const [i, area] of areas.entries()) growth.add(i / 100, area);
  return growth;
};
const series = (length: number, area: (i: number) => number) => Array.from({ length }, (_, i) => area(i));

describe('Growth', () => {
  it('gives a population time before it judges', () => {
    expect(grown([]).hasStopped).toBe(false);
    expect(grown(series(11, () => 5)).hasStopped).toBe(false);
    expect(grown(series(12, () => 5)).hasStopped).toBe(true);
  });

  it('looks at the last third of the time alone', () => {
    // By two percent or more from 20 of 30 on.
    expect(grown(series(30, (i) => (i < 25 ? 100 : 103))).hasStopped).toBe(false);
    expect(grown(series(30, (i) => (i < 15 ? 100 : 103))).hasStopped).toBe(true);
    expect(grown(series(30, (i) => 100 + i / 10)).hasStopped).toBe(true);
    expect(grown(series(30, (i) => 100 + i)).hasStopped).toBe(false);
  });
});
