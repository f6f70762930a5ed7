/** @file What a search breeds from: its frontier seen from two sides, and other ways to excite the unit beside it. */
import { z } from 'zod';
import { Staircase } from '../../core/frontier.js';
import type { Random } from '../../core/random.js';
import type { Bred, Candidate } from './candidate.js';
import { Niches, pickAlong, type Reached } from './niches.js';
import type { Prospect } from './scoring.js';

/** How much area of (cross entropy, margin) counts beside that of (cross entropy, z). */
const SELECTIVITY_SHARE = 0.25;
/** How parents are picked: the frontier's own, what is most selective, and the rest from the niches. */
const FROM_FRONT = 0.5;
const FROM_SELECTIVE = 0.15;

/** A population as data: its candidates by number. */
export const savedPopulation = z.strictObject({
  strongest: z.array(z.int().min(0)),
  mostSelective: z.array(z.int().min(0)),
  niches: z.array(z.int().min(0)),
});
type SavedPopulation = z.output<typeof savedPopulation>;

/** A parent, and whether it was picked for its margin. */
export interface Picked<Member> {
  readonly parent: Member;
  readonly selective: boolean;
}

export class Population<Member extends Bred = Candidate> {
  readonly strongest = new Staircase<Member>(({ z }) => z);
  readonly mostSelective = new Staircase<Member>(({ margin }) => margin ?? 0);
  readonly niches: Niches<Member>;

  /** @param cells - of a niche; 0 for no niches, where memory is short */
  constructor(cells?: number) {
    this.niches = new Niches<Member>(cells);
  }

  /** Nats times sigmas, of both fronts. */
  get area(): number {
    return this.strongest.area + SELECTIVITY_SHARE * this.mostSelective.area;
  }

  /** Takes a candidate in where it is of use; returns by how much the area grew. */
  add(candidate: Member): number {
    this.niches.add(candidate);
    return this.strongest.add(candidate) + SELECTIVITY_SHARE * this.mostSelective.add(candidate);
  }

  /** Takes in all that another has. */
  join(other: Population<Member>): void {
    const { strongest, mostSelective, niches } = other;
    for (const candidate of [...strongest.members, ...mostSelective.members, ...niches.members])
      this.add(candidate);
  }

  save(numberOf: (candidate: Member) => number): SavedPopulation {
    return {
      strongest: this.strongest.members.map(numberOf),
      mostSelective: this.mostSelective.members.map(numberOf),
      niches: this.niches.members.map(numberOf),
    };
  }

  /** Takes in what was saved, each where it stood. */
  restore(saved: SavedPopulation, candidateOf: (number: number) => Member): void {
    for (const i of saved.strongest) this.strongest.add(candidateOf(i));
    for (const i of saved.mostSelective) this.mostSelective.add(candidateOf(i));
    for (const i of saved.niches) this.niches.add(candidateOf(i));
  }

  /** A parent at random; null while there is none. */
  pick(random: Random): Picked<Member> | null {
    const point = random.uniform();
    const { strongest, mostSelective, niches } = this;
    const selective = point >= FROM_FRONT && point < FROM_FRONT + FROM_SELECTIVE;
    const parent =
      point < FROM_FRONT
        ? pickAlong(strongest.members, random)
        : selective
          ? pickAlong(mostSelective.members, random)
          : niches.pick(random);
    const any = parent ?? strongest.members[0];
    return any ? { parent: any, selective } : null;
  }

  /**
   * Whether a candidate could get a place.
   *
   * @param isBeaten - whether another is sure to be better in everything: then niches alone may have a place
   * @param reached - what others are sure to reach in niches (`reachedBy`)
   */
  couldTake(prospect: Prospect, isBeaten: boolean, reached?: Reached): boolean {
    const { best } = prospect;
    return (
      (!isBeaten && (this.strongest.wouldKeep(best) || this.mostSelective.wouldKeep(best))) ||
      this.niches.couldTake(prospect, reached)
    );
  }
}
