/** @file What 8 bits say of children, less the errors that a child shares with its parent. */
import { firstChange } from '../lm/rows.js';
import type { SequenceScore } from '../names.js';
import type { Judge, Judged } from './judge.js';
import { pointOf } from './rank-first.js';
import type { Opinion } from './rough-errors.js';
import type { Parent, Scorer } from './scoring.js';

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

  async judge(children: readonly Int32Array[], parents: readonly Parent[]): Promise<Judged> {
    return {
      opinions: await this.opinions(children, parents),
      finish: (rows) =>
        this.exact.score(
          rows.map((row) => children[row]!),
          rows.map((row) => parents[row]!.ids),
        ),
      release: () => {},
    };
  }

  /**
   * What rough scores say. What a child has in common with its parent is mistaken in the same way: both are scored, and
   * the child's cross entropy and z are put as far from the parent's exact ones as they are from the rough ones.
   */
  private async opinions(children: readonly Int32Array[], parents: readonly Parent[]): Promise<Opinion[]> {
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
