/** @file Mean, deviation and maximum of many units, combined from sequences, and how sure mean and deviation are. */
import type { GroupStatistics } from './group-statistics.js';

/**
 * Combines moments of sequences of equal length (Chan, Golub & LeVeque 1979), in double precision.
 *
 * Positions of one sequence are not independent, sequences are: the standard errors come from how the sequences' means
 * and mean squares differ, as in batch means and cluster-robust errors.
 */
export class RunningMoments {
  private sequences = 0;
  private readonly mean: Float64Array;
  private readonly spread: Float64Array;
  private readonly max: Float32Array;
  /** The first sequence's means: the sums below count from there, which keeps their digits. */
  private readonly origin: Float64Array;
  /** Sums over sequences of d, the mean, and q, the mean square, both counted from the origin. */
  private readonly sums: Readonly<Record<'dd' | 'q' | 'qq' | 'qd', Float64Array>>;

  /** @param length - positions counted of each sequence */
  constructor(
    private readonly size: number,
    private readonly length: number,
  ) {
    const zeros = () => new Float64Array(size);
    [this.mean, this.spread, this.origin] = [zeros(), zeros(), zeros()];
    this.max = new Float32Array(size).fill(Number.NEGATIVE_INFINITY);
    this.sums = { dd: zeros(), q: zeros(), qq: zeros(), qd: zeros() };
  }

  /**
   * One more sequence.
   *
   * @param spread - sum of squared differences from the sequence's own mean
   */
  add(mean: ArrayLike<number>, spread: ArrayLike<number>, max: ArrayLike<number>): void {
    const { length, sums } = this;
    const seen = this.sequences * length;
    const total = seen + length;
    for (let i = 0; i < this.size; i++) {
      if (seen === 0) this.origin[i] = mean[i]!;
      const difference = mean[i]! - this.mean[i]!;
      this.mean[i]! += (difference * length) / total;
      this.spread[i]! += spread[i]! + (difference * difference * seen * length) / total;
      this.max[i] = Math.max(this.max[i]!, max[i]!);
      const d = mean[i]! - this.origin[i]!;
      const q = spread[i]! / length + d * d;
      sums.dd[i]! += d * d;
      sums.q[i]! += q;
      sums.qq[i]! += q * q;
      sums.qd[i]! += q * d;
    }
    this.sequences++;
  }

  result(): GroupStatistics {
    const count = this.sequences * this.length;
    // A unit that never moves (a dead neuron) has no scale of its own; any change counts in raw units.
    const deviation = Float32Array.from(this.spread, (spread) => Math.sqrt(spread / count) || 1);
    return {
      mean: Float32Array.from(this.mean),
      deviation,
      max: this.max,
      meanError: deviation.map((_, i) => this.errorOfMean(i)),
      deviationError: deviation.map((value, i) => this.errorOfVariance(i) / (2 * value)),
    };
  }

  private errorOfMean(i: number): number {
    const { sequences: n, sums } = this;
    const d = this.mean[i]! - this.origin[i]!;
    return standardError(sums.dd[i]! - n * d * d, n);
  }

  private errorOfVariance(i: number): number {
    const { sequences: n, sums } = this;
    const d = this.mean[i]! - this.origin[i]!;
    const variance = this.spread[i]! / (n * this.length);
    const [dd, q, qq, qd] = [sums.dd[i]!, sums.q[i]!, sums.qq[i]!, sums.qd[i]!];
    // Sum of the squares of q - 2 d mean + mean^2, a sequence's mean square about the common mean.
    const squares = qq + 4 * d * d * dd + n * d ** 4 - 4 * d * qd + 2 * d * d * q - 4 * n * d ** 4;
    return standardError(squares - n * variance * variance, n);
  }
}

/** The standard error of the mean of n numbers, from the sum of their squared differences from it. */
const standardError = (squares: number, n: number): number => Math.sqrt(Math.max(0, squares) / (n - 1) / n);
