/** @file Children that are scored in two halves, side by side. */
import { type Halves, scoredInHalves, sumOver } from '../lm/in-halves.js';
import { concatScores, orderedScores, type Scores } from '../readouts/scores.js';
import type { Scorer } from './scoring.js';

export class ScorerPair implements Scorer {
  constructor(private readonly pair: Halves<Scorer>) {}

  get tokenLayers(): number {
    return sumOver(this.pair, ({ tokenLayers }) => tokenLayers);
  }

  async score(children: readonly Int32Array[], parents: readonly Int32Array[]): Promise<Scores> {
    const parts = await scoredInHalves(this.pair, children, parents);
    const order = new Map(parts.flatMap(({ rows }) => rows).map((row, place) => [row, place]));
    return orderedScores(
      concatScores(parts.map(({ result }) => result)),
      children.map((_, row) => order.get(row)!),
    );
  }
}
