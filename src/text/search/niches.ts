/**
 * @file Many ways to excite a unit side by side (MAP-Elites, Mouret & Clune 2015): cells by level of fluency and by
 * the token at the peak, each with its best candidate. A frontier soon descends from one lucky find; here others
 * live on and may still overtake it.
 */
import type { Random } from '../../core/random.js';
import type { Bred, Candidate } from './candidate.js';
import type { Prospect } from './scoring.js';

/** Nats a token that one niche spans. */
const WIDTH = 0.5;
/** What is less probable is hardly text, and what it breeds neither. */
export const FLUENCY_LIMIT = 6.5;
/** Cells a niche keeps unless told otherwise: the strongest. */
const KEPT = 8;
/** From here on a niche is picked less often. */
const FLUENT = 5;
const UNFLUENT_WEIGHT = 0.4;

/** What is sure to be reached in niches: by niche, then by the token at the peak, the largest z. */
export type Reached = ReadonlyMap<number, ReadonlyMap<number, number>>;

export function reachedBy(prospects: readonly Prospect[]): Reached {
  const reached = new Map<number, Map<number, number>>();
  for (const { best, worst, peakToken } of prospects) {
    const niche = nicheOf(best.cross_entropy);
    if (worst.cross_entropy > FLUENCY_LIMIT || nicheOf(worst.cross_entropy) !== niche) continue;
    const cells = reached.get(niche) ?? new Map<number, number>();
    reached.set(niche, cells.set(peakToken, Math.max(worst.z, cells.get(peakToken) ?? worst.z)));
  }
  return reached;
}

const nicheOf = (crossEntropy: number) => Math.max(0, Math.floor(crossEntropy / WIDTH));

/** How often a candidate of this cross entropy is picked as a parent, against others. */
export const fluencyWeight = (crossEntropy: number) => (crossEntropy <= FLUENT ? 1 : UNFLUENT_WEIGHT);

export class Niches<Member extends Bred = Candidate> {
  /** By niche, then by the token at the peak. */
  private readonly niches = new Map<number, Map<number, Member>>();

  /** @param kept - cells of a niche */
  constructor(private readonly kept = KEPT) {}

  add(candidate: Member): void {
    if (candidate.cross_entropy > FLUENCY_LIMIT || this.kept === 0) return;
    const niche = nicheOf(candidate.cross_entropy);
    const cells = this.niches.get(niche) ?? new Map<number, Member>();
    this.niches.set(niche, cells);
    const peakToken = candidate.ids[candidate.peak]!;
    const present = cells.get(peakToken);
    if (present && present.z >= candidate.z) return;
    cells.set(peakToken, candidate);
    if (cells.size > this.kept) {
      const weakest = this.sorted(cells).at(-1)!;
      cells.delete(weakest.ids[weakest.peak]!);
    }
  }

  /**
   * Whether a candidate could get a cell.
   *
   * @param reached - what others are sure to reach before it is taken in
   */
  couldTake({ best, worst, peakToken }: Prospect, reached: Reached = new Map()): boolean {
    if (this.kept === 0) return false;
    const most = Math.min(worst.cross_entropy, FLUENCY_LIMIT);
    for (let niche = nicheOf(best.cross_entropy); niche <= nicheOf(most); niche++) {
      const stronger = new Set<number>();
      for (const [token, { z }] of this.niches.get(niche) ?? []) if (z >= best.z) stronger.add(token);
      for (const [token, z] of reached.get(niche) ?? []) if (z > best.z) stronger.add(token);
      if (!stronger.has(peakToken) && stronger.size < this.kept) return true;
    }
    return false;
  }

  /** All candidates. */
  get members(): Member[] {
    return [...this.niches.values()].flatMap((cells) => [...cells.values()]);
  }

  /** A niche at random, then one of its cells, the strongest more often; null while there is none. */
  pick(random: Random): Member | null {
    const niches = [...this.niches].sort(([a], [b]) => a - b);
    if (niches.length === 0) return null;
    const chosen = random.weighted(niches.map(([niche]) => fluencyWeight((niche + 0.5) * WIDTH)));
    const cells = this.sorted(niches[chosen]![1]);
    return pickStrong(cells, random);
  }

  private sorted(cells: ReadonlyMap<number, Member>): Member[] {
    return [...cells.values()].sort((a, b) => b.z - a.z);
  }
}

/** One of some that are sorted, the strongest first: half of the picks fall on the best quarter. */
export function pickStrong<T>(sorted: readonly T[], random: Random): T {
  return sorted[Math.floor(random.uniform() ** 2 * sorted.length)]!;
}

/** A member of a front at random, levels of fluency alike; null for an empty one. */
export function pickAlong<Member extends Bred>(front: readonly Member[], random: Random): Member | null {
  const fluent = front.filter(({ cross_entropy }, i) => i === 0 || cross_entropy <= FLUENCY_LIMIT);
  if (fluent.length === 0) return null;
  const niches = new Map<number, Member[]>();
  for (const member of fluent) {
    const niche = nicheOf(member.cross_entropy);
    niches.set(niche, [...(niches.get(niche) ?? []), member]);
  }
  const all = [...niches.values()];
  return random.pick(all[random.weighted(all.map(([first]) => fluencyWeight(first!.cross_entropy)))]!);
}
