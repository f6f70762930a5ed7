/**
 * @file Ranking in 8 bits: rough scores of all children first, float32 for those that could matter by them. How far
 * rough scores are off is learned from the children that have both.
 */
import type { Point } from '../../core/frontier.js';
import { firstChange } from '../lm/rows.js';
import type { SequenceScore } from '../names.js';
import { concatScores, type Scores } from '../readouts/scores.js';
import { type Opinion, RoughErrors } from './rough-errors.js';
import type { Choose, Parent, Scorer, Screened, Screening } from './scoring.js';

export class RankFirst implements Screening {
  private readonly errors = new RoughErrors();

  /** @param at - how positions make a sequence's z */
  constructor(
    private readonly rough: Scorer,
    private readonly exact: Scorer,
    private readonly at: SequenceScore,
  ) {}

  get tokenLayers(): number {
    return this.rough.tokenLayers + this.exact.tokenLayers;
  }

  async score(
    children: readonly Int32Array[],
    parents: readonly Parent[],
    choose: Choose,
  ): Promise<Screened> {
    const opinions = await this.judge(children, parents);
    const known = new Map<number, Point>();
    const scored: Screened[] = [];
    const measure = async (wanted: readonly boolean[]) => {
      const kept = [...children.keys()].filter((row) => wanted[row] && !known.has(row));
      if (kept.length === 0) return;
      const scores = await this.exact.score(
        kept.map((row) => children[row]!),
        kept.map((row) => parents[row]!.ids),
      );
      const points = kept.map((_, i) => pointOf(scores, i));
      this.errors.learn(
        kept.map((row) => opinions[row]!),
        points,
      );
      for (const [i, row] of kept.entries()) known.set(row, points[i]!);
      scored.push({ kept, scores });
    };
    // First what is likely to matter, and what errors must be learned from: it rules out most of the rest.
    const likely = choose(opinions.map((opinion) => this.errors.likely(opinion)));
    const toLearnFrom = this.errors.toLearnFrom(opinions);
    await measure(opinions.map((_, row) => likely[row] || toLearnFrom.has(row)));
    await measure(choose(opinions.map((opinion, row) => this.errors.prospect(opinion, known.get(row)))));
    return {
      kept: scored.flatMap(({ kept }) => kept),
      scores: concatScores(scored.map(({ scores }) => scores)),
    };
  }

  /**
   * What rough scores say. What a child has in common with its parent is mistaken in the same way: both are scored, and
   * the child's cross entropy and z are put as far from the parent's exact ones as they are from the rough ones.
   */
  private async judge(children: readonly Int32Array[], parents: readonly Parent[]): Promise<Opinion[]> {
    const families = [...new Set(parents)];
    const parentRows = families.map(({ ids }) => ids);
    const scores = await this.rough.score(
      [...children, ...parentRows],
      [...parents.map(({ ids }) => ids), ...parentRows],
    );
    const roughly = new Map(families.map((parent, i) => [parent, pointOf(scores, children.length + i)]));
    return children.map((child, row) => {
      const parent = parents[row]!;
      const peak = scores.peak[row]!;
      const change = firstChange(child, parent.ids);
      // A causal model cannot see what comes later.
      const samePeak = this.at === 'max' && peak === parent.peak && peak < change;
      const kind = samePeak ? 'same peak' : change > 1 ? 'related' : 'new';
      const [own, before] = [pointOf(scores, row), roughly.get(parent)!];
      const corrected = {
        cross_entropy: parent.cross_entropy + own.cross_entropy - before.cross_entropy,
        z: samePeak ? parent.z : parent.z + own.z - before.z,
        margin: own.margin,
      };
      return { point: kind === 'new' ? own : corrected, peakToken: child[peak]!, kind };
    });
  }
}

function pointOf({ crossEntropy, z, rivals }: Scores, row: number): Point {
  return { cross_entropy: crossEntropy[row]!, z: z[row]!, margin: rivals?.margin[row] ?? null };
}
