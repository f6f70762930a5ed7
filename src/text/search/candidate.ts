/** @file A scored sequence: what a search works with, and what is reported of it. */
import type { ScoredText } from '../../core/scored-text.js';
import type { TextSubject } from '../lm/subject.js';
import type { Rivalry, Scores } from '../readouts/scores.js';

/** What breeding needs to know of a scored sequence. */
export interface Bred {
  /** `[positions]`, BOS in front. */
  readonly ids: Int32Array;
  /** The position that speaks for the sequence. */
  readonly peak: number;
  readonly cross_entropy: number;
  readonly z: number;
  /** Against the rivals that may be worked against; null where there are none. */
  readonly margin: number | null;
}

/** A scored sequence as a search sees it; the rivals held out are in `report` alone. */
export interface Candidate extends Bred {
  /** z of those rivals, weighted by their softmax; 0 where there are none. */
  readonly rivals: number;
  /** What is reported of it. */
  readonly report: ScoredText;
}

/**
 * One of some scored sequences as a candidate.
 *
 * @param row - which of the scores are its
 * @param quiet - z of the unit over the prompts it should stay quiet on, the largest; null without such prompts
 */
export function candidateOf(
  ids: Int32Array,
  scores: Scores,
  row: number,
  { tokenizer }: Pick<TextSubject, 'tokenizer'>,
  quiet: number | null,
): Candidate {
  const z = scores.z[row]!;
  const quietMargin = quiet === null ? null : z - quiet;
  const rivals = standing(scores.rivals, row, quietMargin);
  const heldOut = standing(scores.heldOut, row, null);
  const crossEntropy = scores.crossEntropy[row]!;
  return {
    ids,
    peak: scores.peak[row]!,
    cross_entropy: crossEntropy,
    z,
    margin: rivals?.margin ?? null,
    rivals: scores.rivals?.soft[row] ?? 0,
    report: {
      text: tokenizer.decode(ids),
      token_ids: Array.from(ids.subarray(1)),
      cross_entropy: crossEntropy,
      raw: scores.raw[row]!,
      z,
      margin: rivals && Math.min(rivals.margin, heldOut?.margin ?? rivals.margin),
      rank: rivals && rivals.rank + (heldOut ? heldOut.rank - 1 : 0),
      ...(heldOut && { held_out: heldOut }),
    },
  };
}

/** Margin and rank of one sequence; the unit itself on quiet prompts is one more rival. */
function standing(
  rivalry: Rivalry | null,
  row: number,
  quietMargin: number | null,
): { margin: number; rank: number } | null {
  if (!rivalry) return quietMargin === null ? null : { margin: quietMargin, rank: quietMargin < 0 ? 2 : 1 };
  const margin = rivalry.margin[row]!;
  const rank = rivalry.rank[row]!;
  if (quietMargin === null) return { margin, rank };
  return { margin: Math.min(margin, quietMargin), rank: rank + (quietMargin < 0 ? 1 : 0) };
}
