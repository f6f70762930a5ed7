/** @file The simplest rival: sequences drawn from the prior, of which the frontier keeps the best. */
import type { Arena, Turns } from './arena.js';

/** Best-of-N, N growing until stopped. */
export async function* priorBest(arena: Arena): Turns {
  const { turn } = arena.options;
  arena.method.saves = () => ({});
  for (;;) {
    await arena.evaluate(await arena.samplePrior(turn), Array(turn).fill('prior'));
    yield;
  }
}
