/**
 * @file The objective J (docs/search.md) without its fluency term (the prior itself carries it when one samples), of whole
 * sequences and of their beginnings.
 *
 * A causal model computes a token's z from those before it, so the best so far of a beginning is exact, and the
 * rewards of the beginnings of one sequence add up to its own, step by step: what guides a sampler from left to
 * right without being learned.
 */
import type { SequenceScore } from '../names.js';
import { unknownScore } from '../readouts/sequence-score.js';
import type { Sequences } from './sequences.js';

/** The reward of prefixes: what a sequence is worth so far, exact by causality. */
export class PrefixReward {
  /** @param gamma - how much the softmax-weighted rivals count against the unit */
  constructor(
    readonly at: SequenceScore,
    readonly gamma = 0,
  ) {}

  /**
   * Reward of the tokens up to position `last`, sigmas; 0 for BOS alone. With `last`, the beginnings of a sequence
   * promise nothing: only its end counts.
   */
  of(sequences: Sequences, row: number, last: number): number {
    const { tracked } = sequences;
    if (last === 0) return 0;
    const unit = this.score(sequences, row, last, 0);
    if (this.gamma === 0 || tracked === 1) return unit;
    // Rivals weighted by how strong they are: between their mean and their maximum.
    let [total, weighted] = [0, 0];
    for (let i = 1; i < tracked; i++) {
      const rival = this.score(sequences, row, last, i);
      const weight = Math.exp(rival - unit);
      total += weight;
      weighted += weight * rival;
    }
    return unit - (this.gamma * weighted) / total;
  }

  /** Rewards of whole sequences, `[rows]`. */
  ofAll(sequences: Sequences): Float64Array {
    return Float64Array.from({ length: sequences.rows }, (_, row) =>
      this.of(sequences, row, sequences.positions - 1),
    );
  }

  private score({ positions, tracked, z }: Sequences, row: number, last: number, unit: number): number {
    const at = (position: number) => z[(row * positions + position) * tracked + unit]!;
    let [top, sum] = [at(1), 0];
    for (let position = 1; position <= last; position++) {
      top = Math.max(top, at(position));
      sum += at(position);
    }
    switch (this.at) {
      case 'max':
        return top;
      case 'last':
        return last === positions - 1 ? at(last) : 0;
      case 'mean':
        return sum / (positions - 1);
      default:
        throw unknownScore(this.at);
    }
  }
}
