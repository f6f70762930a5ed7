/** The bandit: effort follows what pays, and comes back when that changes. */
import { describe, expect, it } from 'vitest';
import { Bandit } from './bandit.js';

describe('Bandit', () => {
  it('starts even, gives more to what gains more for its cost, and leaves none without', () => {
    const bandit = new Bandit(['good', 'costly', 'idle'] as const);
    expect(Object.values(bandit.shares())).toEqual([1 / 3, 1 / 3, 1 / 3]);
    bandit.learn((arm) => ({ gain: arm === 'idle' ? 0 : 4, cost: arm === 'costly' ? 400 : 100 }));
    const { good, costly, idle } = bandit.shares();
    expect(good + costly + idle).toBeCloseTo(1, 12);
    expect((good - idle) / (costly - idle)).toBeCloseTo(2, 12);
    expect(idle).toBeCloseTo(0.25 / 3, 12);
  });

  it('forgets', () => {
    const bandit = new Bandit(['early', 'late'] as const);
    const total = { early: 0, late: 0 };
    const turn = (paying: 'early' | 'late', turns: number) => {
      for (let i = 0; i < turns; i++) {
        total[paying] += 1;
        spent += 100;
        bandit.learn((arm) => ({ gain: total[arm], cost: spent }));
      }
    };
    let spent = 0;
    turn('early', 100);
    expect(bandit.shares().early).toBeGreaterThan(0.8);
    turn('late', 30);
    expect(bandit.shares().late).toBeGreaterThan(0.6);
  });
});
