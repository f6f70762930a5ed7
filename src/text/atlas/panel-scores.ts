/** @file What some texts are to all units of an atlas: z, peak, margin, rank. */
import type { TypedArray } from '../../engine/tensor-spec.js';
import type { ReadoutGroup } from '../readouts/readout.js';
import type { PanelPart, PanelUnit } from './panel-units.js';

/** The strongest rival over a text, and the next one, for the unit that is the strongest itself. */
interface Top {
  first: number;
  /** Of the units of the part's own group: which is the strongest; -1 for a rival of another group or sign. */
  index: number;
  second: number;
}

/** Scores of some sequences. */
export class PanelScores {
  private readonly numbers: ReadonlyMap<string, number>;

  constructor(
    private readonly panel: {
      readonly groups: readonly ReadoutGroup[];
      readonly parts: readonly PanelPart[];
    },
    readonly rows: number,
    private readonly columns: Readonly<Record<string, TypedArray>>,
  ) {
    this.numbers = new Map(panel.groups.map(({ key }, i) => [key, i]));
  }

  /** Nats a token. */
  crossEntropy(row: number): number {
    return this.columns.crossEntropy?.[row] ?? Number.NaN;
  }

  z({ part, index }: PanelUnit, row: number): number {
    return this.groupRow(part.group.key, part.group.size, row)[index]!;
  }

  /** The position that speaks for a sequence. @param positions - of a sequence, BOS included */
  peak({ part, index }: PanelUnit, row: number, positions: number): number {
    const peaks = this.columns[`peak ${this.numbers.get(part.group.key)}`];
    return peaks ? peaks[row * part.group.size + index]! : positions - 1;
  }

  /**
   * z and margin of all units over a sequence; a margin is NaN where there are no rivals.
   *
   * @param z - gets them, `[units]`
   * @param margin - likewise
   */
  standing(row: number, z: Float32Array, margin: Float32Array): void {
    for (const part of this.panel.parts) {
      const own = this.groupRow(part.group.key, part.group.size, row);
      const top = this.top(part, row);
      for (const [i, index] of part.indices.entries()) {
        const value = own[index]!;
        const rival = top.index === index ? top.second : top.first;
        z[part.first + i] = value;
        margin[part.first + i] = rival === Number.NEGATIVE_INFINITY ? Number.NaN : value - rival;
      }
    }
  }

  /** 1 + how many rivals are stronger; null where there are none. */
  rank(unit: PanelUnit, row: number): number | null {
    const value = this.z(unit, row);
    let [above, count] = [0, 0];
    for (const rival of this.rivals(unit, row)) {
      count++;
      if (rival.z > value) above++;
    }
    return count === 0 ? null : above + 1;
  }

  /** The rivals of a unit over a sequence, in no order. */
  *rivals({ part, index }: PanelUnit, row: number): Generator<{ readonly unit: string; readonly z: number }> {
    for (const { group, sign, indices, names } of part.rivals.parts) {
      const z = this.groupRow(group.key, group.size, row);
      const isOwn = group.key === part.group.key && sign > 0;
      for (const [i, rival] of indices.entries())
        if (!isOwn || rival !== index) yield { unit: names[i]!, z: sign * z[rival]! };
    }
  }

  private top(part: PanelPart, row: number): Top {
    const top: Top = { first: Number.NEGATIVE_INFINITY, index: -1, second: Number.NEGATIVE_INFINITY };
    for (const { group, sign, indices } of part.rivals.parts) {
      const z = this.groupRow(group.key, group.size, row);
      const isOwn = group.key === part.group.key && sign > 0;
      for (const index of indices) {
        const value = sign * z[index]!;
        if (value > top.first) {
          top.second = top.first;
          top.first = value;
          top.index = isOwn ? index : -1;
        } else if (value > top.second) top.second = value;
      }
    }
    return top;
  }

  private groupRow(key: string, size: number, row: number): Float32Array {
    return this.columns[`z ${this.numbers.get(key)}`]!.subarray(row * size, (row + 1) * size) as Float32Array;
  }
}
