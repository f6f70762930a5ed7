/** @file What a search breeds from: its frontier seen from two sides, and other ways to excite the unit beside it. */
import { Front } from '../../core/frontier.js';
import type { Candidate } from './candidate.js';
import { Niches } from './niches.js';
import type { Prospect } from './scoring.js';

/** How much area of (cross entropy, margin) counts beside that of (cross entropy, z). */
const SELECTIVITY_SHARE = 0.25;

export class Population {
  readonly strongest = new Front<Candidate>(({ z }) => z);
  readonly mostSelective = new Front<Candidate>(({ margin }) => margin ?? 0);
  readonly niches = new Niches(({ z }) => z);

  /** Nats times sigmas, of both fronts. */
  get area(): number {
    return this.strongest.area + SELECTIVITY_SHARE * this.mostSelective.area;
  }

  /** Takes a candidate in where it is of use; returns by how much the area grew. */
  add(candidate: Candidate): number {
    this.niches.add(candidate);
    return this.strongest.add(candidate) + SELECTIVITY_SHARE * this.mostSelective.add(candidate);
  }

  /** Takes in all that another has. */
  join(other: Population): void {
    const { strongest, mostSelective, niches } = other;
    for (const candidate of [...strongest.members, ...mostSelective.members, ...niches.members])
      this.add(candidate);
  }

  /**
   * Whether a candidate could get a place.
   *
   * @param isBeaten - whether another is sure to be better in everything: then niches alone may have a place
   */
  couldTake({ best, worst, peakToken }: Prospect, isBeaten: boolean): boolean {
    return (
      (!isBeaten && (this.strongest.wouldKeep(best) || this.mostSelective.wouldKeep(best))) ||
      this.niches.couldTake(best.cross_entropy, worst.cross_entropy, peakToken, best.z)
    );
  }
}
