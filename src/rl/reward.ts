/**
 * @file What a sequence is worth to a unit: its z, less a share of the strongest rival's.
 *
 * The subject that is rewarded may have another tokenizer than the language model that writes; then it reads the
 * text.
 */
import type { ScoredText } from '../core/scored-text.js';
import type { TextModel } from '../text/lm/model.js';
import type { Probe } from '../text/readouts/probe.js';
import type { Scores } from '../text/readouts/scores.js';

export interface RewardOptions {
  readonly probe: Probe;
  readonly subject: TextModel;
  /** Whose token ids are rewarded. */
  readonly writer: TextModel;
  /** Positions of a sequence, BOS included. */
  readonly positions: number;
  /** Sequences scored together. */
  readonly batch: number;
  /** 0: z alone; 1: the margin, z less the strongest rival's. */
  readonly selectivity: number;
}

/** A sequence as the subject sees it; its probability is not the subject's business. */
export type Rewarded = Omit<ScoredText, 'cross_entropy'>;

export class Reward {
  /** The subject reads the writer's ids as they are. */
  private readonly sameTokens: boolean;

  constructor(private readonly options: RewardOptions) {
    this.sameTokens = options.subject.folder === options.writer.folder;
  }

  /**
   * Sequences that decoding and encoding would change are no text: null, and worth 0 sigmas, the calibration mean.
   *
   * @param rows - token ids of the writer, `[count, positions]`, BOS in front
   */
  async of(rows: Int32Array): Promise<{ reward: Float32Array; texts: (Rewarded | null)[] }> {
    const { writer, subject, positions } = this.options;
    const count = rows.length / positions;
    const texts: (Rewarded | null)[] = Array(count).fill(null);
    const reward = new Float32Array(count);
    // The subject's ids of each text, by their number: a graph is compiled for a length.
    const lengths = new Map<number, { row: number; text: string; ids: Int32Array }[]>();
    for (let row = 0; row < count; row++) {
      const own = rows.subarray(row * positions, (row + 1) * positions);
      if (!writer.tokenizer.roundTrips(own)) continue;
      const text = writer.tokenizer.decode(own);
      const ids = this.sameTokens ? own : Int32Array.from(subject.tokenizer.encode(text));
      if (ids.length < 2 || ids.length > subject.spec.context) continue;
      lengths.set(ids.length, [...(lengths.get(ids.length) ?? []), { row, text, ids }]);
    }
    for (const [length, group] of lengths) {
      const flat = new Int32Array(group.length * length);
      for (const [slot, { ids }] of group.entries()) flat.set(ids, slot * length);
      const scores = await this.options.probe.score(flat, length, this.options.batch);
      for (const [slot, { row, text, ids }] of group.entries()) {
        texts[row] = { text, token_ids: Array.from(ids.subarray(1)), ...standing(scores, slot) };
        reward[row] = this.worth(texts[row]!);
      }
    }
    return { reward, texts };
  }

  /** (1 - s) z + s margin: the strongest rival's z counts s. */
  private worth({ z, margin }: Rewarded): number {
    const { selectivity } = this.options;
    return margin === null ? z : z + selectivity * (margin - z);
  }
}

function standing(
  { raw, z, rivals }: Scores,
  row: number,
): Pick<ScoredText, 'raw' | 'z' | 'margin' | 'rank'> {
  return { raw: raw[row]!, z: z[row]!, margin: rivals?.margin[row] ?? null, rank: rivals?.rank[row] ?? null };
}
