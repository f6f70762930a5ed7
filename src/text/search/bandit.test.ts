/** The bandit: effort follows what pays, and comes back when that changes. */
import { describe, expect, it } from 'vitest';
import { Bandit } from './bandit.js';

describe('Bandit', () => {
  it('starts from its initial shares and moves to what gains more for its cost', () => {
    const bandit = new Bandit({ good: 2, costly: 1, idle: 1 }, 0);
    expect(bandit.shares()).toEqual({ good: 0.5, costly: 0.25, idle: 0.25 });
    bandit.learn((arm) => ({ gain: arm === 'idle' ? 0 : 4, cost: arm === 'costly' ? 400 : 100 }));
    const { good, costly, idle } = bandit.shares();
    expect(good + costly + idle).toBeCloseTo(1, 12);
    // On average 8 for 600; a quarter stays with the prior.
    expect(good / idle).toBeCloseTo((2 * (0.25 + (0.75 * 4 * 6) / 8)) / 0.25, 12);
    expect(costly / idle).toBeCloseTo((0.25 + (0.75 * 6) / 8) / 0.25, 12);
  });

  it('believes what little evidence says only so far', () => {
    const shareOfLucky = (trust: number) => {
      const bandit = new Bandit({ lucky: 1, other: 1 }, trust);
      bandit.learn((arm) => ({ gain: arm === 'lucky' ? 10 : 0, cost: 10 }));
      return bandit.shares().lucky;
    };
    expect(shareOfLucky(1000)).toBeCloseTo(0.5, 2);
    expect(shareOfLucky(10)).toBeGreaterThan(0.6);
    expect(shareOfLucky(0)).toBeGreaterThan(0.85);
  });

  it('forgets', () => {
    const bandit = new Bandit({ early: 1, late: 1 }, 100);
    const total = { early: 0, late: 0 };
    let spent = 0;
    const turn = (paying: 'early' | 'late', turns: number) => {
      for (let i = 0; i < turns; i++) {
        total[paying] += 1;
        spent += 100;
        bandit.learn((arm) => ({ gain: total[arm], cost: spent }));
      }
    };
    turn('early', 100);
    expect(bandit.shares().early).toBeGreaterThan(0.75);
    turn('late', 30);
    expect(bandit.shares().late).toBeGreaterThan(0.6);
  });
});
