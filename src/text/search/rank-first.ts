/**
 * @file Ranking: something is known of all children first, and those that could matter by it are computed exactly and to
 * the end. The error of that estimate is learned from the children that have both values.
 */
import type { Point } from '../../core/frontier.js';
import { concatScores, type Scores } from '../readouts/scores.js';
import type { KnownRow } from '../sampling/known.js';
import type { Judge } from './judge.js';
import { RoughErrors } from './rough-errors.js';
import type { Choose, Parent, Screened, Screening } from './scoring.js';

export class RankFirst implements Screening {
  readonly errors = new RoughErrors();

  constructor(private readonly judge: Judge) {}

  get tokenLayers(): number {
    return this.judge.tokenLayers;
  }

  async score(
    children: readonly Int32Array[],
    parents: readonly (Parent | null)[],
    choose: Choose,
    known?: readonly KnownRow[],
  ): Promise<Screened> {
    const judged = await this.judge.judge(children, parents, known);
    const { opinions } = judged;
    const exact = new Map<number, Point>();
    const scored: Screened[] = [];
    const measure = async (wanted: readonly boolean[]) => {
      const kept = [...children.keys()].filter((row) => wanted[row] && !exact.has(row));
      if (kept.length === 0) return;
      const scores = await judged.finish(kept);
      const points = kept.map((_, i) => pointOf(scores, i));
      this.errors.learn(
        kept.map((row) => opinions[row]!),
        points,
      );
      for (const [i, row] of kept.entries()) exact.set(row, points[i]!);
      scored.push({ kept, scores });
    };
    // First what is likely to matter, and what errors must be learned from: it rules out most of the rest.
    const likely = choose(opinions.map((opinion) => this.errors.likely(opinion)));
    const toLearnFrom = this.errors.toLearnFrom(opinions);
    await measure(opinions.map((_, row) => likely[row] || toLearnFrom.has(row)));
    await measure(choose(opinions.map((opinion, row) => this.errors.prospect(opinion, exact.get(row)))));
    judged.release();
    return {
      kept: scored.flatMap(({ kept }) => kept),
      scores: concatScores(scored.map(({ scores }) => scores)),
    };
  }
}

export function pointOf({ crossEntropy, z, rivals }: Scores, row: number): Point {
  return { cross_entropy: crossEntropy[row]!, z: z[row]!, margin: rivals?.margin[row] ?? null };
}
