/** @file Which operators pay: shares of the effort that move from their initial values toward the operators that gain most for their cost. */
import { z } from 'zod';

export interface Account {
  gain: number;
  cost: number;
}

/** A bandit as data, by arm: the account, and the totals that it last learned from. */
export const savedBandit = z.record(z.string(), z.tuple([z.number(), z.number(), z.number(), z.number()]));

/** What an account keeps of its past each time it learns: about the last ten generations count. */
const MEMORY = 0.9;
/** Effort that keeps its initial share, so that an operator whose time has not come yet is still tried. */
const FIXED_SHARE = 0.25;

/**
 * A bandit with discounted averages and probability matching: shares follow the initial ones times gain per cost. Gains are rare
 * and heavy-tailed, so every arm is taken to have gained what all do on average over `trust` of cost before it is
 * believed to differ.
 */
export class Bandit<Arm extends string> {
  private readonly arms: readonly Arm[];
  private readonly accounts = new Map<Arm, Account>();
  private readonly before = new Map<Arm, Account>();

  /**
   * @param initial - shares while nothing is known, as weights
   * @param trust - cost after which an arm is believed to differ from the average
   * @param saved - what it had learned
   */
  constructor(
    private readonly initial: Readonly<Record<Arm, number>>,
    private readonly trust: number,
    saved: z.output<typeof savedBandit> = {},
  ) {
    this.arms = Object.keys(initial) as Arm[];
    for (const arm of this.arms) {
      const [gain, cost, gainBefore, costBefore] = saved[arm] ?? [0, 0, 0, 0];
      this.accounts.set(arm, { gain, cost });
      this.before.set(arm, { gain: gainBefore, cost: costBefore });
    }
  }

  save(): z.output<typeof savedBandit> {
    return Object.fromEntries(
      this.arms.map((arm) => {
        const [account, before] = [this.accounts.get(arm)!, this.before.get(arm)!];
        return [arm, [account.gain, account.cost, before.gain, before.cost]];
      }),
    );
  }

  /** Takes in what every arm gained and cost since the last call, given totals since the start. */
  learn(totals: (arm: Arm) => Account): void {
    for (const arm of this.arms) {
      const account = this.accounts.get(arm)!;
      const total = totals(arm);
      const before = this.before.get(arm)!;
      account.gain = MEMORY * account.gain + total.gain - before.gain;
      account.cost = MEMORY * account.cost + total.cost - before.cost;
      this.before.set(arm, { ...total });
    }
  }

  /** Shares that add up to 1. */
  shares(): Record<Arm, number> {
    const accounts = [...this.accounts.values()];
    const sum = (of: (account: Account) => number) => accounts.reduce((total, one) => total + of(one), 0);
    const average = sum(({ gain }) => gain) / sum(({ cost }) => cost);
    const known = average > 0 && Number.isFinite(average);
    const weights = this.arms.map((arm) => {
      const { gain, cost } = this.accounts.get(arm)!;
      const rate = (gain + this.trust * average) / (cost + this.trust) / average;
      return this.initial[arm] * (known ? FIXED_SHARE + (1 - FIXED_SHARE) * rate : 1);
    });
    const total = weights.reduce((a, b) => a + b, 0);
    return Object.fromEntries(this.arms.map((arm, i) => [arm, weights[i]! / total])) as Record<Arm, number>;
  }
}
