/** @file How far rough scores are off, learned from children that have exact ones too. */
import type { Point } from '../../runs/frontier.js';
import type { Prospect } from './scoring.js';

/** Standard deviations of the errors seen that a rough figure may be off by, beside their mean. */
const TOLERANCE = 3;
/** What was known before counts as so many errors beside those of a call. */
const MEMORY = 16;

/** What rough scores say of a child. */
export interface Opinion {
  readonly point: Point;
  /** The token at its peak. */
  readonly trigger: number;
  /** Whether the peak is the parent's and stands before the first change: then so is z. */
  readonly keepsPeak: boolean;
}

/** Of rough less exact. */
interface Moments {
  readonly mean: number;
  readonly square: number;
}

const figures = ['cross_entropy', 'z', 'margin'] as const satisfies (keyof Point)[];
type Figure = (typeof figures)[number];

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

export class RoughErrors {
  private readonly known = new Map<string, Moments>();

  /** @param exact - of each opinion's child */
  learn(opinions: readonly Opinion[], exact: readonly Point[]): void {
    for (const keepsPeak of [true, false]) {
      const own = opinions.flatMap((opinion, i) => (opinion.keepsPeak === keepsPeak ? [i] : []));
      if (own.length === 0) continue;
      for (const figure of figures) {
        const errors = own.map((i) => (opinions[i]!.point[figure] ?? 0) - (exact[i]![figure] ?? 0));
        const seen = { mean: mean(errors), square: mean(errors.map((error) => error ** 2)) };
        const before = this.known.get(`${figure} ${keepsPeak}`) ?? seen;
        const mixed = (of: keyof Moments) =>
          (MEMORY * before[of] + own.length * seen[of]) / (MEMORY + own.length);
        this.known.set(`${figure} ${keepsPeak}`, { mean: mixed('mean'), square: mixed('square') });
      }
    }
  }

  /** As good and as bad as a child may be; anything while nothing was learned. */
  prospect({ point, trigger, keepsPeak }: Opinion): Prospect {
    const within = (side: 1 | -1): Point => {
      const at = (figure: Figure, direction: 1 | -1) => {
        if (figure === 'z' && keepsPeak) return point.z;
        const { mean, square } = this.known.get(`${figure} ${keepsPeak}`) ?? { mean: 0, square: Infinity };
        const slack = TOLERANCE * Math.sqrt(Math.max(0, square - mean ** 2));
        return (point[figure] ?? 0) - mean + direction * slack;
      };
      return {
        cross_entropy: Math.max(0, at('cross_entropy', side === 1 ? -1 : 1)),
        z: at('z', side),
        margin: point.margin === null ? null : at('margin', side),
      };
    };
    return { best: within(1), worst: within(-1), trigger };
  }
}
