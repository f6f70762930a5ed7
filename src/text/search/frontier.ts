/** @file The non-dominated candidates of a search: probable, strong, selective. */
import type { ScoredText } from '../../runs/events.js';

/** The corner of the hypervolume (DESIGN section 3): text of 6 nats a token that excites the unit no more than average. */
export const HYPERVOLUME_CORNER = { crossEntropy: 6, z: 0 } as const;

/** A place in the space of the three wishes. */
export type Point = Pick<ScoredText, 'cross_entropy' | 'z' | 'margin'>;

const marginOf = (point: Point) => point.margin ?? 0;

/** True when `a` is at least as good as `b` in cross entropy, z and margin (so also when they are equal). */
export function dominates(a: Point, b: Point): boolean {
  return a.cross_entropy <= b.cross_entropy && a.z >= b.z && marginOf(a) >= marginOf(b);
}

/** The points that no other beats in cross entropy and z, by rising cross entropy; z rises with them. */
export function fluencyFront<T extends Point>(points: readonly T[]): T[] {
  const sorted = [...points].sort((a, b) => a.cross_entropy - b.cross_entropy || b.z - a.z);
  const front: T[] = [];
  for (const point of sorted) if (front.length === 0 || point.z > front.at(-1)!.z) front.push(point);
  return front;
}

/** The area between the (cross entropy, z) front and the corner, in nats times sigmas: one figure for a whole front. */
export function hypervolume(points: readonly Point[]): number {
  const front = fluencyFront(
    points.filter((p) => p.cross_entropy < HYPERVOLUME_CORNER.crossEntropy && p.z > HYPERVOLUME_CORNER.z),
  );
  let area = 0;
  for (const [i, point] of front.entries()) {
    const next = front[i + 1]?.cross_entropy ?? HYPERVOLUME_CORNER.crossEntropy;
    area += (next - point.cross_entropy) * (point.z - HYPERVOLUME_CORNER.z);
  }
  return area;
}

/** An archive that keeps what is not dominated in the three directions. */
export class Frontier<T extends Point = ScoredText> {
  private kept: T[] = [];

  /** Keeps the candidate unless one already here is at least as good in everything. Returns whether it was kept. */
  add(candidate: T): boolean {
    if (![candidate.cross_entropy, candidate.z, marginOf(candidate)].every(Number.isFinite)) return false;
    if (this.kept.some((member) => dominates(member, candidate))) return false;
    this.kept = this.kept.filter((member) => !dominates(candidate, member));
    this.kept.push(candidate);
    return true;
  }

  /** By rising cross entropy. */
  get members(): T[] {
    return [...this.kept].sort((a, b) => a.cross_entropy - b.cross_entropy || b.z - a.z);
  }

  get size(): number {
    return this.kept.length;
  }
}
