/** @file One generation: parents are picked, operators draft children, the prior writes its part, all are scored. */

import { z } from 'zod';
import type { Random } from '../../core/random.js';
import { stackRows } from '../lm/rows.js';
import type { Rewrite } from '../sampling/draw-jobs.js';
import { type KnownRow, nothingKnown } from '../sampling/known.js';
import type { Sampler } from '../sampling/sampler.js';
import type { Bred } from './candidate.js';
import type { Ledger } from './ledger.js';
import { type Draft, type OperatorName, operators } from './operators.js';
import type { Picked } from './population.js';
import type { Proposals } from './proposals.js';

/** Children of one parent, about; twice as many in large generations (shortcuts.ts). */
const CHILDREN = 16;
/** Parents of a generation of so many children. */
export const parentsOf = (turn: number) => Math.ceil(turn / CHILDREN);
/** Parents in half of a generation: one may be in both. */
export const parentsOfHalf = (parents: number) => Math.ceil(parents / 2) + 1;
/** Proposals that are remembered, for parents that are picked again. */
const REMEMBERED = 256;
/** How much rivals count in the gradient of a parent that was picked for its margin, by default. */
const SELECTIVE_GAMMA = 1;

/** What breeding has learned, as data: costs by operator; parents by number, latest used last. */
export const savedBreeding = z.strictObject({
  costs: z.record(z.string(), z.number()),
  triggers: z.array(z.array(z.int().min(0))),
  known: z.array(z.tuple([z.int().min(0), z.number()])),
});
type SavedBreeding = z.output<typeof savedBreeding>;

/** How many children of each operator a generation has, as weights. */
export type Shares = Readonly<Partial<Record<OperatorName, number>>>;

/** How many a method proposes at a time. */
export interface GenerationSize {
  /** Sequences that a method proposes in one turn: the children of a generation. */
  readonly turn: number;
  /** The parents of so many children; default: `parentsOf`. */
  readonly parents?: number;
}

/** Where breeding takes place: what parents are picked from, and who scores their children. */
export interface BreedingGround<Parent extends Bred> {
  readonly options: GenerationSize & {
    readonly random: Random;
    /** Positions of a sequence, BOS included. */
    readonly positions: number;
    readonly sampler: Pick<Sampler, 'rewrite' | 'tokensRead'>;
    readonly gamma?: number;
  };
  readonly ledger: Pick<Ledger, 'left' | 'isTimed' | 'unpaid'>;
  /** Some parents; the same may come twice. */
  pick(count: number): Picked<Parent>[];
  /** What a parent is crossed with; default: any parent of the generation. */
  mateOf?(parent: Parent): Parent;
  /** What to try in some parents; see `Proposer`. */
  propose(parents: readonly Parent[], gammas: readonly number[]): Promise<Proposals[]>;
  /** True the first time a sequence is asked about. */
  isNew(row: Int32Array): boolean;
  /** Scores children, `[count, positions]`, and keeps what is of use. */
  evaluate(rows: Int32Array, operators: readonly string[], made?: Made<Parent>): Promise<unknown>;
  /** Draws samples of the prior and scores them. */
  evaluatePrior(count: number): Promise<void>;
  countTokens(tokens: number): void;
}

/** How some rows were made. */
export interface Made<Parent> {
  /** What each was made from; null for what was drawn whole. */
  readonly parents: readonly (Parent | null)[];
  /** What a sampler has found out about them. */
  readonly known?: readonly KnownRow[];
}

/** What a parent's proposals were made with; they are null until a resumed search uses them. */
interface RememberedParent {
  readonly gamma: number;
  readonly proposals: Proposals | null;
}

interface Child<Parent> {
  readonly parent: Parent;
  readonly operator: OperatorName;
  row: Int32Array;
  readonly rewrite: Rewrite | null;
  readonly known: KnownRow;
  /** Spent on writing and scoring it. */
  seconds: number;
}

export class Breeding<Parent extends Bred> {
  /**
   * By operator: what its children cost so far, in children of average cost. Where evaluations are the budget all cost
   * the same; where time is, what took longer costs more.
   */
  readonly costs = new Map<OperatorName, number>();
  /** What `graft` puts into texts; while there are none it is not used. */
  triggers: readonly Int32Array[] = [];
  private readonly known = new Map<Parent, RememberedParent>();

  constructor(private readonly arena: BreedingGround<Parent>) {}

  save(numberOf: (parent: Parent) => number): SavedBreeding {
    return {
      costs: Object.fromEntries(this.costs),
      triggers: this.triggers.map((ids) => [...ids]),
      known: [...this.known].map(([parent, { gamma }]) => [numberOf(parent), gamma]),
    };
  }

  /** Proposals are made again when they are first used, and cost nothing. */
  restore({ costs, triggers, known }: SavedBreeding, parentOf: (number: number) => Parent): void {
    for (const [operator, cost] of Object.entries(costs)) this.costs.set(operator as OperatorName, cost);
    this.triggers = triggers.map((ids) => Int32Array.from(ids));
    for (const [number, gamma] of known) this.known.set(parentOf(number), { gamma, proposals: null });
  }

  /** Breeds and scores one generation. @param size - its children */
  async generation(shares: Shares, size = this.arena.options.turn): Promise<void> {
    const { arena, triggers } = this;
    const { random, turn, parents: most = parentsOf(turn) } = arena.options;
    const count = Math.ceil((most * size) / turn);
    if (arena.ledger.left <= 2 * count) {
      await arena.evaluatePrior(arena.ledger.left);
      return;
    }
    const parents = await this.parents(count);
    const names = (Object.keys(shares) as OperatorName[]).filter(
      (name) => name !== 'graft' || triggers.length > 0,
    );
    const weights = names.map((name) => shares[name]!);
    const children = Array.from({ length: size }, (): Child<Parent> => {
      const [parent, proposals] = random.pick(parents);
      const operator = names[random.weighted(weights)]!;
      const mate = arena.mateOf?.(parent) ?? random.pick(parents)[0];
      const { row, rewrite }: Draft = operators[operator]({ parent, proposals, mate, triggers, random });
      return { parent, operator, row, rewrite, known: nothingKnown(row.length), seconds: 0 };
    });
    await this.write(children);
    const fresh = children.filter(({ row }) => arena.isNew(row));
    await timed(fresh, () =>
      arena.evaluate(
        stackRows(fresh.map(({ row }) => row)),
        fresh.map(({ operator }) => operator),
        {
          parents: fresh.map(({ parent }) => parent),
          known: fresh.map(({ known }) => known),
        },
      ),
    );
    this.charge(children);
  }

  private charge(children: readonly Child<Parent>[]): void {
    const total = children.reduce((sum, { seconds }) => sum + seconds, 0);
    for (const { operator, seconds } of children) {
      const cost = this.arena.ledger.isTimed ? (seconds * children.length) / total : 1;
      this.costs.set(operator, (this.costs.get(operator) ?? 0) + cost);
    }
  }

  private async parents(count: number): Promise<[Parent, Proposals][]> {
    const { arena } = this;
    const { gamma = 0 } = arena.options;
    const picked = arena.pick(count);
    // Before any are forgotten: the latest used go last.
    for (const { parent } of picked) this.use(parent);
    const parents = new Set(picked.map(({ parent }) => parent));
    const known = [...parents].filter((parent) => this.known.get(parent)?.proposals === null);
    await arena.ledger.unpaid(() =>
      this.propose(known.map((parent) => [parent, this.known.get(parent)!.gamma])),
    );
    const fresh = new Map(
      picked.flatMap(({ parent, selective }) =>
        this.known.has(parent) ? [] : [[parent, selective ? gamma || SELECTIVE_GAMMA : gamma]],
      ),
    );
    await this.propose([...fresh]);
    return picked.map(({ parent }) => [parent, this.known.get(parent)!.proposals!]);
  }

  /** Moves a parent's proposals, if there are any, to the end that is forgotten last. */
  private use(parent: Parent): void {
    const known = this.known.get(parent);
    if (!known) return;
    this.known.delete(parent);
    this.known.set(parent, known);
  }

  private async propose(asked: readonly (readonly [Parent, number])[]): Promise<void> {
    if (asked.length === 0) return;
    const { arena, known } = this;
    const lists = await arena.propose(
      asked.map(([parent]) => parent),
      asked.map(([, gamma]) => gamma),
    );
    for (const oldest of known.keys()) {
      if (known.size <= REMEMBERED) break;
      known.delete(oldest);
    }
    for (const [i, [parent, gamma]] of asked.entries()) known.set(parent, { gamma, proposals: lists[i]! });
  }

  /** Lets the prior write what the drafts left to it. */
  private async write(children: readonly Child<Parent>[]): Promise<void> {
    const { sampler, positions, random } = this.arena.options;
    const open = children.flatMap((child) => (child.rewrite ? [{ child, rewrite: child.rewrite }] : []));
    const part = open.map(({ child }) => child);
    const rewrites = open.map(({ rewrite }) => rewrite);
    const rows = stackRows(part.map(({ row }) => row));
    const parents = part.map(({ parent }) => parent.ids);
    const before = sampler.tokensRead;
    const known = part.map((child) => child.known);
    const written = await timed(part, () => sampler.rewrite(rows, rewrites, random, parents, known));
    for (const [i, child] of part.entries()) child.row = written.slice(i * positions, (i + 1) * positions);
    this.arena.countTokens(sampler.tokensRead - before);
  }
}

/** Does something for some children, its time divided among them. */
async function timed<T>(children: readonly Child<unknown>[], work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await work();
  const seconds = (performance.now() - start) / 1000 / children.length;
  for (const child of children) child.seconds += seconds;
  return result;
}
