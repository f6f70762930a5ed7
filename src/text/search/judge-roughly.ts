/** @file What 8 bits say of children, less the errors that a child shares with its parent. */
import type { Point } from '../../core/frontier.js';
import { firstChange } from '../lm/rows.js';
import type { SequenceScore } from '../names.js';
import type { KnownRow } from '../sampling/known.js';
import type { Judge, Judged } from './judge.js';
import { pointKnown } from './known-point.js';
import { pointOf } from './rank-first.js';
import type { Opinion } from './rough-errors.js';
import { likeChildren, type Parent, type Scorer } from './scoring.js';

export class JudgeRoughly implements Judge {
  /**
   * @param rough - scores in 8 bits
   * @param exact - scores those that could matter, in float32
   * @param at - how positions make a sequence's z
   */
  constructor(
    private readonly rough: Scorer,
    private readonly exact: Scorer,
    private readonly at: SequenceScore,
  ) {}

  get tokenLayers(): number {
    return this.rough.tokenLayers + this.exact.tokenLayers;
  }

  async judge(
    children: readonly Int32Array[],
    parents: readonly (Parent | null)[],
    known: readonly KnownRow[] = [],
  ): Promise<Judged> {
    const like = likeChildren(children, parents);
    const standings = children.map((_, row) => this.known(known[row]));
    const unknown = [...children.keys()].filter((row) => !standings[row]);
    const pick = <T>(all: readonly T[]) => unknown.map((row) => all[row]!);
    for (const [i, standing] of (await this.read(pick(children), pick(parents), pick(like))).entries())
      standings[unknown[i]!] = standing;
    return {
      opinions: children.map((child, row) => this.opinion(child, parents[row]!, standings[row]!)),
      finish: (rows) =>
        this.exact.score(
          rows.map((row) => children[row]!),
          rows.map((row) => like[row]!),
        ),
      release: () => {},
    };
  }

  /** What the sampler has found out about a child that it wrote, where that is all. */
  private known(known: KnownRow | undefined): RoughStanding | null {
    const own = known && pointKnown(known, this.at);
    return own ? { ...own, before: known.parent && pointKnown(known.parent, this.at)!.point } : null;
  }

  /** Reads children and their parents in 8 bits. */
  private async read(
    children: readonly Int32Array[],
    parents: readonly (Parent | null)[],
    like: readonly Int32Array[],
  ): Promise<RoughStanding[]> {
    if (children.length === 0) return [];
    const families = [...new Set(parents)].filter((parent) => parent !== null);
    const parentRows = families.map(({ ids }) => ids);
    const scores = await this.rough.score([...children, ...parentRows], [...like, ...parentRows]);
    return children.map((_, row) => {
      const family = parents[row] ? families.indexOf(parents[row]) : -1;
      const before = family === -1 ? null : pointOf(scores, children.length + family);
      return { point: pointOf(scores, row), peak: scores.peak[row]!, before };
    });
  }

  /**
   * What rough scores say. What a child has in common with its parent is mistaken in the same way: the child's cross
   * entropy and z are put as far from the parent's exact ones as they are from the rough ones.
   */
  private opinion(child: Int32Array, parent: Parent | null, { point, peak, before }: RoughStanding): Opinion {
    const peakToken = child[peak]!;
    const change = parent ? firstChange(child, parent.ids) : 0;
    if (!parent || !before || change <= 1) return { point, peakToken, kind: 'new' };
    // A causal model cannot see what comes later.
    const samePeak = this.at === 'max' && peak === parent.peak && peak < change;
    const corrected = {
      cross_entropy: parent.cross_entropy + point.cross_entropy - before.cross_entropy,
      z: samePeak ? parent.z : parent.z + point.z - before.z,
      margin: point.margin,
    };
    return { point: corrected, peakToken, kind: samePeak ? 'same peak' : 'related' };
  }
}

/** A child in 8 bits, and its parent where that was read too. */
interface RoughStanding {
  readonly point: Point;
  readonly peak: number;
  readonly before: Point | null;
}
