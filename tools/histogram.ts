/** @file Mean, deviation, maximum and quantiles of many numbers at once, counted in one pass. */

import { keptQuantiles, type UnitStatistics } from '../src/hub/unit-statistics.js';

/** Bits of a float32 that choose its bin: sign, exponent and 6 of the mantissa, so a bin is 1.6 % wide. */
const KEPT_BITS = 15;
const BINS = 2 ** KEPT_BITS;

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Lowest absolute value of a bin, with its sign. */
function edgeOf(bin: number): number {
  const top = bin < BINS / 2 ? BINS - 1 - bin : bin - BINS / 2;
  bits[0] = top << (32 - KEPT_BITS);
  return float[0]!;
}

export class Histograms {
  private readonly bins: Uint32Array;
  private readonly sum: Float64Array;
  private readonly squares: Float64Array;
  readonly max: Float32Array;
  private count = 0;

  /** @param columns - quantities that are counted side by side */
  constructor(private readonly columns: number) {
    this.bins = new Uint32Array(columns * BINS);
    this.sum = new Float64Array(columns);
    this.squares = new Float64Array(columns);
    this.max = new Float32Array(columns).fill(Number.NEGATIVE_INFINITY);
  }

  /** Adds values `[column, value]`. */
  add(values: Float32Array): void {
    const { columns, bins } = this;
    const raw = new Uint32Array(values.buffer, values.byteOffset, values.length);
    const count = values.length / columns;
    for (let column = 0; column < columns; column++) {
      const first = column * BINS;
      let [sum, squares, max] = [0, 0, this.max[column]!];
      for (let i = column * count; i < (column + 1) * count; i++) {
        const value = values[i]!;
        sum += value;
        squares += value * value;
        if (value > max) max = value;
        // Bins in the order of the values in them: negative ones run backwards.
        const top = raw[i]! >>> (32 - KEPT_BITS);
        bins[first + (top >= BINS / 2 ? BINS - 1 - top : top + BINS / 2)]!++;
      }
      this.sum[column]! += sum;
      this.squares[column]! += squares;
      this.max[column] = max;
    }
    this.count += count;
  }

  get mean(): Float32Array {
    return Float32Array.from(this.sum, (sum) => sum / this.count);
  }

  /** One for a column that never moved, as in `Calibration`. */
  get deviation(): Float32Array {
    return Float32Array.from(this.squares, (square, i) => {
      const mean = this.sum[i]! / this.count;
      return Math.sqrt(Math.max(0, square / this.count - mean * mean)) || 1;
    });
  }

  /** To within a bin, 1.6 % of the value, inside which values are taken to be spread evenly. */
  quantile(fraction: number): Float32Array {
    return Float32Array.from({ length: this.columns }, (_, i) => {
      let below = 0;
      for (let bin = 0; bin < BINS; bin++) {
        const inside = this.bins[i * BINS + bin]!;
        if (inside > 0 && below + inside >= fraction * this.count) {
          const share = (fraction * this.count - below) / inside;
          const [near, far] =
            bin < BINS / 2 ? [edgeOf(bin - 1), edgeOf(bin)] : [edgeOf(bin), edgeOf(bin + 1)];
          return Math.min(this.max[i]!, near + share * (far - near));
        }
        below += inside;
      }
      return this.max[i]!;
    });
  }

  /** All that is kept of the columns. */
  statistics(): UnitStatistics {
    const { mean, deviation, max } = this;
    return {
      mean,
      deviation,
      max,
      quantiles: Float32Array.from(keptQuantiles.flatMap((q) => [...this.quantile(q)])),
    };
  }
}
