/** @file Which units are worth more children: those whose breeding still pays. */
import type { Random } from '../../core/random.js';

/** What an account keeps of its past with each child: about the last hundred count. */
const MEMORY = 0.99;
/** Children after which a unit is believed to differ from the average. */
const TRUST = 32;
/** Part of the effort that all units share alike, so that one whose time has not come yet is still tried. */
const FIXED_SHARE = 0.25;

/**
 * Probability matching over very many arms: a unit is picked in proportion to what its children gained. What a unit
 * is believed to gain changes only with its own children, so that one that was long left alone is believed to pay as it
 * did then, and is tried again.
 */
export class UnitBandit {
  private readonly gains: Float64Array;
  private readonly costs: Float64Array;

  constructor(units: number) {
    this.gains = new Float64Array(units);
    this.costs = new Float64Array(units);
  }

  /** One more child of a unit, and what it gained. */
  credit(unit: number, gain: number): void {
    this.gains[unit] = MEMORY * this.gains[unit]! + gain;
    this.costs[unit] = MEMORY * this.costs[unit]! + 1;
  }

  /** Some units at random; the same may come twice. @param can - whether a unit has parents */
  pick(count: number, can: (unit: number) => boolean, random: Random): number[] {
    const [gain, cost] = [sum(this.gains), sum(this.costs)];
    const average = cost > 0 ? gain / cost : 0;
    let total = 0;
    const upTo = Float64Array.from(this.gains, (own, unit) => {
      const rate = average > 0 ? (own / average + TRUST) / (this.costs[unit]! + TRUST) : 1;
      total += can(unit) ? FIXED_SHARE + (1 - FIXED_SHARE) * rate : 0;
      return total;
    });
    if (total === 0) return [];
    return Array.from({ length: count }, () => firstAbove(upTo, random.uniform() * total));
  }
}

const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);

/** The first of some rising numbers above a value. */
function firstAbove(rising: Float64Array, value: number): number {
  let [low, high] = [0, rising.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
