/**
 * @file Evolutionary prompt optimization as published (Thompson, Straznickas & Sklar 2024, "Fluent dreaming for
 * language models", and its library dreamy), to compare with.
 *
 * Eight members, each with its own weight of fluency. In each round a member has 32 children, one token swapped at
 * a uniform position for one of the 512 that the gradient favours there; every member is replaced by what is best
 * of all for its weight. Every 30 rounds all members restart from the best for one random weight. (On wide models the
 * gradient is computed in 8 bits; see shortcuts.ts.)
 */

import { z } from 'zod';
import type { Point } from '../../core/frontier.js';
import type { Random } from '../../core/random.js';
import type { Arena, Turns } from './arena.js';
import type { Candidate } from './candidate.js';
import { randomTexts } from './random-texts.js';
import type { Prospect } from './scoring.js';

const MEMBERS = 8;
const CHILDREN = 32;
const LAMBDA_RANGE = [0.1, 10] as const;
const ROUNDS_BETWEEN_RESTARTS = 30;
const RESTART_LAMBDA_RANGE = [2 / 3, 6] as const;
/** Tokens a position that children are drawn from. */
export const EPO_TOP_TOKENS = 512;

/** Weights of the cross entropy against z, log-spaced, one a member. */
export const epoLambdas = Array.from(
  { length: MEMBERS },
  (_, i) => LAMBDA_RANGE[0] * (LAMBDA_RANGE[1] / LAMBDA_RANGE[0]) ** (i / (MEMBERS - 1)),
);

const epoState = z.strictObject({
  members: z.array(z.int().min(0)).length(MEMBERS),
  /** Whose gradient is known. */
  known: z.array(z.boolean()).length(MEMBERS),
  round: z.int().min(1),
});

export async function* epo(arena: Arena): Turns {
  const { positions, random } = arena.options;
  const saved = arena.method.resumed(epoState);
  let members = saved?.state.members.map(saved.candidateOf) ?? (yield* randomTexts(arena, MEMBERS));
  /** The tokens that the gradient favours for each member; null where they are not known yet. */
  let favoured: (Int32Array | null)[] = Array(MEMBERS).fill(null);
  const favour = async (which: readonly number[]) => {
    const rows = which.map((i) => members[i]!.ids);
    const found = await arena.steepest(
      rows,
      which.map((i) => epoLambdas[i]!),
    );
    for (const [k, i] of which.entries()) favoured[i] = found[k]!;
  };
  if (saved) await arena.ledger.unpaid(() => favour([...members.keys()].filter((i) => saved.state.known[i])));
  let round = saved?.state.round ?? 1;
  arena.method.saves = (numberOf) => ({
    members: members.map(numberOf),
    known: favoured.map((tokens) => tokens !== null),
    round,
  });
  while (arena.ledger.left > 2 * MEMBERS) {
    await favour([...members.keys()].filter((i) => favoured[i] === null));
    const children = new Int32Array(MEMBERS * CHILDREN * positions);
    const parents = Array.from({ length: MEMBERS * CHILDREN }, (_, i) => members[Math.floor(i / CHILDREN)]!);
    for (const [i, parent] of parents.entries())
      children.set(swapFavoured(parent.ids, favoured[Math.floor(i / CHILDREN)]!, random), i * positions);
    const scored = await arena.evaluate(
      children,
      Array(parents.length).fill('swap'),
      { parents },
      (prospects) => couldBeBest(prospects, members),
    );
    const pool = [...members, ...scored.filter((child) => child !== null)];
    const before = members;
    members = epoLambdas.map((lambda) => best(pool, lambda));
    if (round % ROUNDS_BETWEEN_RESTARTS === 0) {
      const [low, high] = RESTART_LAMBDA_RANGE;
      members = Array<Candidate>(MEMBERS).fill(best(pool, low + (high - low) * random.uniform()));
    }
    // Who stays keeps the gradient.
    favoured = favoured.map((tokens, i) => (members[i] === before[i] ? tokens : null));
    round++;
    yield;
  }
}

const value = ({ z, cross_entropy }: Point, lambda: number) => z - lambda * cross_entropy;

/** Which children could become a member. */
function couldBeBest(prospects: readonly Prospect[], members: readonly Candidate[]): boolean[] {
  const limits = epoLambdas.map((lambda, i) =>
    prospects.reduce((most, { worst }) => Math.max(most, value(worst, lambda)), value(members[i]!, lambda)),
  );
  return prospects.map(({ best }) => epoLambdas.some((lambda, i) => value(best, lambda) >= limits[i]!));
}

/** The pool's maximum of z - lambda * cross entropy. */
function best(pool: readonly Candidate[], lambda: number): Candidate {
  return pool.reduce((a, b) => (value(b, lambda) > value(a, lambda) ? b : a));
}

/** One token at a uniform position replaced by one of those favoured there, `[positions - 1, count]`. */
export function swapFavoured(parent: Int32Array, favoured: Int32Array, random: Random): Int32Array {
  const row = parent.slice();
  const count = favoured.length / (row.length - 1);
  const position = 1 + random.integer(row.length - 1);
  row[position] = favoured[(position - 1) * count + random.integer(count)]!;
  return row;
}
