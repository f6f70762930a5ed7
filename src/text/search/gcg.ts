/**
 * @file Greedy coordinate gradient (Zou et al. 2023; nanoGCG's defaults), to compare with: one text, 512 children a
 * round, each with one token swapped at a uniform position for one of the 256 that the gradient favours there; the
 * best child is the next text, also when it is worse. Fluency does not count.
 */
import { z } from 'zod';
import { stackRows } from '../lm/rows.js';
import type { Arena, Turns } from './arena.js';
import type { Candidate } from './candidate.js';
import { swapFavoured } from './epo.js';
import { randomTexts } from './random-texts.js';

const WIDTH = 512;
/** Tokens a position that children are drawn from. */
export const GCG_TOP_TOKENS = 256;

/** The current text. */
const gcgState = z.int().min(0);

export async function* gcg(arena: Arena): Turns {
  const { random } = arena.options;
  const saved = arena.method.resumed(gcgState);
  let [current] = (saved ? [saved.candidateOf(saved.state)] : yield* randomTexts(arena, 1)) as [Candidate];
  arena.method.saves = (numberOf) => numberOf(current);
  while (arena.ledger.left > 2) {
    const [favoured] = await arena.steepest([current.ids], [0]);
    const children = Array.from({ length: WIDTH }, () => swapFavoured(current.ids, favoured!, random));
    const scored = await arena.evaluate(stackRows(children), Array(WIDTH).fill('swap'));
    const alive = scored.filter((child) => child !== null);
    if (alive.length > 0) current = alive.reduce((a, b) => (b.z > a.z ? b : a));
    yield;
  }
}
