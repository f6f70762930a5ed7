/**
 * @file Evolution of the frontier: the population is the frontier itself, so that every level of fluency keeps its
 * own best text (quality-diversity; MAP-Elites, Mouret & Clune 2015, with the cells given by dominance).
 *
 * Children come from three operators: a token drawn from the prior's next-token distribution, a token drawn from
 * prior x exp(gradient), and such a token with a few after it drawn anew by the prior.
 */
import type { Random } from '../../engine/random.js';
import type { Arena, Candidate } from './arena.js';
import { fluencyFront } from './frontier.js';
import type { Proposals, TokenLists } from './proposals.js';

/** Share of the budget that goes into samples of the prior before evolution starts. */
const PRIOR_SHARE = 0.15;
/** Parents beyond this cross entropy are not bred from; what they breed is no text. */
const PARENT_LIMIT = 7;
/** A tempered prior: likely tokens are tried more often than they occur. */
const PRIOR_TEMPERATURE = 0.7;
/** How strongly the gradient speaks, drawn anew for each child: from a hint to nearly all. */
const GAIN_WEIGHTS = [2, 4, 8] as const;
/** At most so many tokens after a swap are drawn anew. */
const LONGEST_REWRITE = 4;

const operators = ['swap', 'gradient', 'regenerate'] as const;

/** Room for the children of a batch that are regenerated: their share, rounded up to a multiple of 16. */
export const rewriteBatch = (batch: number) => Math.ceil(batch / operators.length / 16) * 16;

interface Child {
  readonly row: Int32Array;
  readonly operator: (typeof operators)[number];
  /** The position that was swapped. */
  readonly position: number;
}

export async function* evolve(arena: Arena): AsyncGenerator<void, void, void> {
  const { batch, random } = arena.options;
  do {
    await arena.evaluate(await arena.samplePrior(batch), Array(batch).fill('prior'));
    yield;
  } while (arena.spent < PRIOR_SHARE || arena.frontier.size === 0);

  const proposals = new Map<Candidate, Proposals>();
  for (;;) {
    const parents = fluencyFront(arena.frontier.members).filter(
      (parent, i) => i === 0 || parent.cross_entropy <= PARENT_LIMIT,
    );
    await proposeFor(arena, parents, proposals);
    const children: Child[] = [];
    // A frontier that has been tried from every side yields fewer new children than asked for.
    for (let tries = 0; children.length < batch && tries < 4 * batch; tries++) {
      const parent = random.pick(parents);
      const child = swapped(parent, proposals.get(parent)!, random);
      if (child.operator === 'regenerate' || arena.isNew(child.row)) children.push(child);
    }
    await regenerate(
      arena,
      children.filter(({ operator }) => operator === 'regenerate'),
    );
    const rows = new Int32Array(children.length * arena.options.positions);
    for (const [i, { row }] of children.entries()) rows.set(row, i * arena.options.positions);
    await arena.evaluate(
      rows,
      children.map(({ operator }) => operator),
    );
    yield;
  }
}

/** Looks up proposals for parents that are new and forgets those of parents that are gone. */
async function proposeFor(
  arena: Arena,
  parents: readonly Candidate[],
  proposals: Map<Candidate, Proposals>,
): Promise<void> {
  for (const known of proposals.keys()) if (!parents.includes(known)) proposals.delete(known);
  const fresh = parents.filter((parent) => !proposals.has(parent));
  if (fresh.length === 0) return;
  const { positions, proposer } = arena.options;
  const rows = new Int32Array(fresh.length * positions);
  for (const [i, parent] of fresh.entries()) rows.set(parent.ids, i * positions);
  arena.countGradients(fresh.length);
  for (const [i, lists] of (await proposer.propose(rows)).entries()) proposals.set(fresh[i]!, lists);
}

function swapped(parent: Candidate, { prior, gradient }: Proposals, random: Random): Child {
  const operator = random.pick(operators);
  const position = 1 + random.integer(parent.ids.length - 1);
  const row = parent.ids.slice();
  const weight = operator === 'gradient' ? random.pick(GAIN_WEIGHTS) : 0;
  row[position] = drawToken(
    operator === 'gradient' ? gradient : prior,
    position,
    row[position]!,
    weight,
    random,
  );
  return { row, operator, position };
}

/** A token for a position, other than the one that stands there. */
function drawToken(
  { ids, logProbs, gains, count }: TokenLists,
  position: number,
  present: number,
  gainWeight: number,
  random: Random,
): number {
  const start = (position - 1) * count;
  const logWeight = (i: number) => logProbs[start + i]! / PRIOR_TEMPERATURE + gainWeight * gains[start + i]!;
  const logWeights = Float64Array.from({ length: count }, (_, i) =>
    ids[start + i] === present ? Number.NEGATIVE_INFINITY : logWeight(i),
  );
  const top = Math.max(...logWeights);
  return ids[start + random.weighted(logWeights.map((w) => Math.exp(w - top)))]!;
}

/** Draws up to a few tokens after each child's swapped one anew; in place. */
async function regenerate(arena: Arena, children: readonly Child[]): Promise<void> {
  const { positions, rewriter, random } = arena.options;
  if (children.length === 0) return;
  const rows = new Int32Array(children.length * positions);
  const rewrites = children.map(({ row, position }, i) => {
    rows.set(row, i * positions);
    const room = positions - 1 - position;
    return { from: position + 1, count: Math.min(room, 1 + random.integer(LONGEST_REWRITE)) };
  });
  const rewritten = await rewriter.rewrite(rows, rewrites, random);
  arena.countTokens(children.length * positions + rewrites.reduce((sum, { count }) => sum + count, 0));
  for (const [i, { row }] of children.entries())
    row.set(rewritten.subarray(i * positions, (i + 1) * positions));
}
