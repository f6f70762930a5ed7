/** @file Children that are scored in two halves, side by side. */
import { distinct, type Halves, halve, inHalves } from '../lm/in-halves.js';
import { firstChange } from '../lm/rows.js';
import { concatScores, orderedScores, type Scores } from '../readouts/scores.js';
import type { Scorer } from './scoring.js';

export class ScorerPair implements Scorer {
  constructor(private readonly pair: Halves<Scorer>) {}

  get tokenLayers(): number {
    return distinct(this.pair).reduce((sum, { tokenLayers }) => sum + tokenLayers, 0);
  }

  async score(children: readonly Int32Array[], parents: readonly Int32Array[]): Promise<Scores> {
    const costs = children.map((child, row) => child.length - firstChange(child, parents[row]!));
    const parts = await inHalves(this.pair, halve(parents, costs), (scorer, rows) =>
      scorer.score(
        rows.map((row) => children[row]!),
        rows.map((row) => parents[row]!),
      ),
    );
    const order = new Map(parts.flatMap(({ rows }) => rows).map((row, place) => [row, place]));
    return orderedScores(
      concatScores(parts.map(({ result }) => result)),
      children.map((_, row) => order.get(row)!),
    );
  }
}
