/** @file One generation: parents are picked, operators draft children, the prior writes its part, all are scored. */
import type { Rewrite } from '../prior.js';
import { type Arena, type Candidate, stackRows } from './arena.js';
import { pickAlong } from './niches.js';
import { type Draft, type OperatorName, operators } from './operators.js';
import type { Proposals } from './proposals.js';

/** Parents of one generation. */
const PARENTS = 16;
/** Proposals that are remembered, for parents that are picked again. */
const REMEMBERED = 256;
/** How parents are picked: the frontier's own, what is most selective, and the rest from the niches. */
const FROM_FRONT = 0.5;
const FROM_SELECTIVE = 0.15;
/** How much rivals count in the gradient of a parent that was picked for its margin. */
const SELECTIVE_GAMMA = 1;

/** How many children of each operator a generation has, as weights. */
export type Shares = Readonly<Partial<Record<OperatorName, number>>>;

interface Child {
  readonly operator: OperatorName;
  row: Int32Array;
  readonly rewrite: Rewrite | null;
}

export class Breeding {
  /** By operator: token positions times layers that its children cost so far. */
  readonly costs = new Map<OperatorName, number>();
  private readonly known = new Map<Candidate, Proposals>();

  constructor(private readonly arena: Arena) {}

  /** Breeds and scores one generation. */
  async generation(shares: Shares): Promise<void> {
    const { arena } = this;
    const { random, turn } = arena.options;
    if (arena.left <= 2 * PARENTS) {
      await arena.evaluate(await arena.samplePrior(arena.left), Array(arena.left).fill('prior'));
      return;
    }
    const parents = await this.parents();
    const names = Object.keys(shares) as OperatorName[];
    const weights = names.map((name) => shares[name]!);
    const children = Array.from({ length: turn }, (): Child => {
      const [parent, proposals] = random.pick(parents);
      const operator = names[random.weighted(weights)]!;
      const [mate] = random.pick(parents);
      const { row, rewrite }: Draft = operators[operator]({ parent, proposals, mate, random });
      return { operator, row, rewrite };
    });
    await this.write(children);
    const fresh = children.filter(({ row }) => arena.isNew(row));
    for (const { operator } of fresh) this.charge(operator, arena.options.positions);
    await arena.evaluate(
      stackRows(fresh.map(({ row }) => row)),
      fresh.map(({ operator }) => operator),
    );
  }

  private charge(operator: OperatorName, tokens: number): void {
    this.costs.set(operator, (this.costs.get(operator) ?? 0) + tokens * this.arena.layers);
  }

  private async parents(): Promise<[Candidate, Proposals][]> {
    const { random } = this.arena.options;
    const picked = Array.from({ length: PARENTS }, () => {
      const point = random.uniform();
      const { strongest, mostSelective, niches } = this.arena;
      const selective = point >= FROM_FRONT && point < FROM_FRONT + FROM_SELECTIVE;
      const parent =
        point < FROM_FRONT
          ? pickAlong(strongest.members, random)
          : selective
            ? pickAlong(mostSelective.members, random)
            : niches.pick(random);
      return { parent: parent ?? strongest.members[0]!, selective };
    });
    // Before any are forgotten: the latest used go last.
    for (const { parent } of picked) this.use(parent);
    const fresh = new Map(
      picked
        .filter(({ parent }) => !this.known.has(parent))
        .map(({ parent, selective }) => [parent, selective]),
    );
    await this.propose(
      [...fresh.keys()],
      [...fresh.values()].map((selective) => (selective ? SELECTIVE_GAMMA : 0)),
    );
    return picked.map(({ parent }) => [parent, this.known.get(parent)!]);
  }

  /** Moves a parent's proposals, if there are any, to the end that is forgotten last. */
  private use(parent: Candidate): void {
    const proposals = this.known.get(parent);
    if (!proposals) return;
    this.known.delete(parent);
    this.known.set(parent, proposals);
  }

  private async propose(parents: readonly Candidate[], gammas: readonly number[]): Promise<void> {
    if (parents.length === 0) return;
    const { arena, known } = this;
    arena.countGradients(parents.length);
    const lists = await arena.options.proposer.propose(stackRows(parents.map(({ ids }) => ids)), gammas);
    for (const oldest of known.keys()) {
      if (known.size <= REMEMBERED) break;
      known.delete(oldest);
    }
    for (const [i, parent] of parents.entries()) known.set(parent, lists[i]!);
  }

  /** Lets the prior write what the drafts left to it; children of like length together. */
  private async write(children: readonly Child[]): Promise<void> {
    const { prior, positions, random } = this.arena.options;
    const groups = new Map<string, { child: Child; rewrite: Rewrite }[]>();
    for (const child of children) {
      const { rewrite } = child;
      if (!rewrite) continue;
      const kind =
        rewrite.count === positions - 1 ? 'whole' : rewrite.count > prior.stride ? 'long' : 'short';
      groups.set(kind, [...(groups.get(kind) ?? []), { child, rewrite }]);
      this.charge(child.operator, rewrite.count + (kind === 'whole' ? 0 : positions));
    }
    for (const group of groups.values()) {
      const rows = stackRows(group.map(({ child }) => child.row));
      const rewrites = group.map(({ rewrite }) => rewrite);
      const written = await prior.rewrite(rows, rewrites, random);
      for (const [i, { child }] of group.entries())
        child.row = written.slice(i * positions, (i + 1) * positions);
    }
    for (const { operator: _, rewrite } of children)
      if (rewrite) this.arena.countTokens(rewrite.count + (rewrite.count === positions - 1 ? 0 : positions));
  }
}
