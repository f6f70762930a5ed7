/** @file How far rough scores are off, learned from children that have exact ones too. */
import type { Point } from '../../core/frontier.js';
import type { Moments, SavedErrors } from './error-moments.js';
import type { Prospect } from './scoring.js';

/** Standard deviations of the errors seen that a rough figure may be off by, beside their mean. */
const TOLERANCE = 3;
/** What was known before counts as at most so many errors beside those of a call. */
const MEMORY = 16;
/** Errors that must have been seen of a kind before anything is left out by them. */
const ENOUGH = 8;

/** What rough scores say of a child. */
export interface Opinion {
  readonly point: Point;
  /** The token at its peak. */
  readonly peakToken: number;
  readonly kind: Kinship;
}

const kinds = ['same peak', 'related', 'new', 'written', 'guessed'] as const;
/**
 * Children are mistaken about in different ways: of `same peak` the peak is the parent's and stands before the first
 * change, so that z is the parent's too (or more, where the exact peak lies behind it after all); `related` ones have a
 * beginning in common with the parent, `new` ones nothing. Of `written` and `guessed` ones only the cross entropy is
 * mistaken: its tokens were written by a sampler, or some are taken for as probable as in the parent.
 */
export type Kinship = (typeof kinds)[number];

const figures = ['cross_entropy', 'z', 'margin'] as const satisfies (keyof Point)[];
type Figure = (typeof figures)[number];

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

export class RoughErrors {
  private known = new Map<string, Moments>();

  save(): SavedErrors {
    return Object.fromEntries(this.known);
  }

  restore(saved: SavedErrors): void {
    this.known = new Map(Object.entries(saved));
  }

  /** @param exact - of each opinion's child */
  learn(opinions: readonly Opinion[], exact: readonly Point[]): void {
    for (const kind of new Set(opinions.map((opinion) => opinion.kind))) {
      const own = opinions.flatMap((opinion, i) => (opinion.kind === kind ? [i] : []));
      for (const figure of figures) {
        const errors = own.map((i) => (opinions[i]!.point[figure] ?? 0) - (exact[i]![figure] ?? 0));
        const seen = { mean: mean(errors), square: mean(errors.map((error) => error ** 2)) };
        const before = this.known.get(`${figure} ${kind}`) ?? { count: 0, ...seen };
        const past = Math.min(MEMORY, before.count);
        const count = past + own.length;
        const mixed = (of: 'mean' | 'square') => (past * before[of] + own.length * seen[of]) / count;
        this.known.set(`${figure} ${kind}`, { count, mean: mixed('mean'), square: mixed('square') });
      }
    }
  }

  /** For each kind with too few known errors, as many children as are missing, evenly spread. */
  toLearnFrom(opinions: readonly Opinion[]): Set<number> {
    return new Set(
      kinds.flatMap((kind) => {
        const own = opinions.flatMap((opinion, i) => (opinion.kind === kind ? [i] : []));
        const missing = ENOUGH - (this.known.get(`z ${kind}`)?.count ?? 0);
        const count = Math.max(0, Math.min(missing, own.length));
        return Array.from({ length: count }, (_, k) => own[Math.floor((k * own.length) / count)]!);
      }),
    );
  }

  /** What a child is likely to be. */
  likely(opinion: Opinion): Prospect {
    const point = this.within(opinion, 0);
    return { best: point, worst: point, peakToken: opinion.peakToken };
  }

  /**
   * As good and as bad as a child may be; anything while too little was learned.
   *
   * @param exact - where that is known
   */
  prospect(opinion: Opinion, exact?: Point): Prospect {
    const { peakToken } = opinion;
    if (exact) return { best: exact, worst: exact, peakToken };
    return { best: this.within(opinion, 1), worst: this.within(opinion, -1), peakToken };
  }

  /** @param side - 1: as good as may be, -1: as bad, 0: neither */
  private within({ point, kind }: Opinion, side: 1 | 0 | -1): Point {
    const at = (figure: Figure, direction: number) => {
      const value = point[figure] ?? 0;
      if (figure === 'z' && kind === 'same peak') return value;
      const known = this.known.get(`${figure} ${kind}`);
      if (direction === 0) return value - (known?.mean ?? 0);
      if (!known || known.count < ENOUGH) return direction * Infinity;
      const slack = TOLERANCE * Math.sqrt(Math.max(0, known.square - known.mean ** 2));
      return value - known.mean + direction * slack;
    };
    return {
      cross_entropy: Math.max(0, at('cross_entropy', -side)),
      z: at('z', side),
      margin: point.margin === null ? null : at('margin', side),
    };
  }
}
