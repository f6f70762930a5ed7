/** @file When to stop: a population that has hardly grown for a good part of its time is not worth more. */

import { z } from 'zod';

/** The history as data: pairs of what was spent and the area. */
export const savedGrowth = z.array(z.tuple([z.number(), z.number()]));

/** The part of the time that is its end, and by how much an area must grow in it. */
const LATE = 1 / 3;
const LEAST = 0.02;
/** Generations that a population has in any case. */
const YOUTH = 12;

export class Growth {
  private readonly history: { readonly at: number; readonly area: number }[];

  constructor(saved: z.output<typeof savedGrowth> = []) {
    this.history = saved.map(([at, area]) => ({ at, area }));
  }

  save(): z.output<typeof savedGrowth> {
    return this.history.map(({ at, area }) => [at, area]);
  }

  /**
   * @param at - how much is spent, in any measure that rises
   * @param area - of the population's fronts
   */
  add(at: number, area: number): void {
    this.history.push({ at, area });
  }

  private get spent(): number {
    return (this.history.at(-1)?.at ?? 0) - (this.history[0]?.at ?? 0);
  }

  get hasStopped(): boolean {
    const last = this.history.at(-1);
    if (!last || this.history.length < YOUTH) return false;
    const before = this.history.findLast(({ at }) => at <= last.at - LATE * this.spent)!;
    return last.area < (1 + LEAST) * before.area;
  }
}
