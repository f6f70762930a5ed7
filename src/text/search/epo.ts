/**
 * @file Evolutionary prompt optimization as published (Thompson, Straznickas & Sklar 2024, "Fluent dreaming for
 * language models", and its library dreamy), to compare with.
 *
 * Eight members, each with its own weight of fluency. In each round a member has 32 children, one token swapped at
 * a uniform position for one of the 512 that the gradient favours there; every member is replaced by what is best
 * of all for its weight. Every 30 rounds all members restart from the best for one random weight.
 */
import type { Random } from '../../engine/random.js';
import type { Arena, Candidate } from './arena.js';

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

export async function* epo(arena: Arena): AsyncGenerator<void, void, void> {
  const { positions, proposer, random } = arena.options;
  let members = await randomMembers(arena);
  for (let round = 1; ; round++) {
    const rows = stack(members, positions);
    arena.countGradients(MEMBERS);
    const favoured = await proposer.steepest(rows, epoLambdas);
    const children = new Int32Array(MEMBERS * CHILDREN * positions);
    for (let i = 0; i < MEMBERS * CHILDREN; i++) {
      const parent = Math.floor(i / CHILDREN);
      children.set(swapFavoured(members[parent]!.ids, favoured[parent]!, random), i * positions);
    }
    const scored = await arena.evaluate(children, Array(MEMBERS * CHILDREN).fill('swap'));
    const pool = [...members, ...scored.filter((child) => child !== null)];
    members = epoLambdas.map((lambda) => best(pool, lambda));
    if (round % ROUNDS_BETWEEN_RESTARTS === 0) {
      const [low, high] = RESTART_LAMBDA_RANGE;
      members = Array<Candidate>(MEMBERS).fill(best(pool, low + (high - low) * random.uniform()));
    }
    yield;
  }
}

/** The pool's maximum of z - lambda * cross entropy. */
function best(pool: readonly Candidate[], lambda: number): Candidate {
  const value = (candidate: Candidate) => candidate.z - lambda * candidate.cross_entropy;
  return pool.reduce((a, b) => (value(b) > value(a) ? b : a));
}

function swapFavoured(parent: Int32Array, favoured: Int32Array, random: Random): Int32Array {
  const row = parent.slice();
  const count = favoured.length / (row.length - 1);
  const position = 1 + random.integer(row.length - 1);
  row[position] = favoured[(position - 1) * count + random.integer(count)]!;
  return row;
}

function stack(members: readonly Candidate[], positions: number): Int32Array {
  const rows = new Int32Array(members.length * positions);
  for (const [i, { ids }] of members.entries()) rows.set(ids, i * positions);
  return rows;
}

/** Sequences of uniformly drawn tokens that survive decoding and encoding. */
async function randomMembers(arena: Arena): Promise<Candidate[]> {
  const { model, start, positions, random } = arena.options;
  const excluded = new Set(model.tokenizer.excludedTokens());
  const tokens = Array.from({ length: model.spec.vocab }, (_, id) => id).filter((id) => !excluded.has(id));
  const members: Candidate[] = [];
  while (members.length < MEMBERS) {
    const rows = Int32Array.from({ length: MEMBERS * positions }, (_, i) =>
      i % positions === 0 ? start : random.pick(tokens),
    );
    const scored = await arena.evaluate(rows, Array(MEMBERS).fill('random'));
    members.push(...scored.filter((member) => member !== null));
  }
  return members.slice(0, MEMBERS);
}
