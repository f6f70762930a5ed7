/** @file Which operators pay: shares of the effort that follow what each gained for its cost, lately. */

export interface Account {
  gain: number;
  cost: number;
}

/** What an account keeps of its past each time shares are asked for: about the last ten generations count. */
const MEMORY = 0.9;
/** Effort shared evenly, so that an operator whose time has not come yet is still tried. */
const EVEN_SHARE = 0.25;

/**
 * A bandit with discounted averages and probability matching. Gains are rare and heavy-tailed, so shares follow the
 * square root of gain per cost.
 */
export class Bandit<Arm extends string> {
  private readonly accounts = new Map<Arm, Account>();
  private readonly before = new Map<Arm, Account>();

  constructor(private readonly arms: readonly Arm[]) {
    for (const arm of arms) this.accounts.set(arm, { gain: 0, cost: 0 });
  }

  /** Takes in what every arm gained and cost since the last call, given totals since the start. */
  learn(totals: (arm: Arm) => Account): void {
    for (const arm of this.arms) {
      const account = this.accounts.get(arm)!;
      const total = totals(arm);
      const before = this.before.get(arm) ?? { gain: 0, cost: 0 };
      account.gain = MEMORY * account.gain + total.gain - before.gain;
      account.cost = MEMORY * account.cost + total.cost - before.cost;
      this.before.set(arm, { ...total });
    }
  }

  /** Shares that add up to 1. */
  shares(): Record<Arm, number> {
    const rates = this.arms.map((arm) => {
      const { gain, cost } = this.accounts.get(arm)!;
      return cost > 0 ? Math.sqrt(Math.max(0, gain) / cost) : 0;
    });
    const total = rates.reduce((a, b) => a + b, 0);
    const even = 1 / this.arms.length;
    const share = (rate: number) =>
      total > 0 ? EVEN_SHARE * even + ((1 - EVEN_SHARE) * rate) / total : even;
    return Object.fromEntries(this.arms.map((arm, i) => [arm, share(rates[i]!)])) as Record<Arm, number>;
  }
}
