/** @file The non-dominated candidates of a search: probable, strong, selective. */
import type { ScoredText } from './scored-text.js';

/** The corner of the hypervolume: text of 6 nats a token that excites the unit no more than average. */
export const HYPERVOLUME_CORNER = { crossEntropy: 6, z: 0 } as const;

/** A place in the space of the three wishes. */
export type Point = Pick<ScoredText, 'cross_entropy' | 'z' | 'margin'>;

/** Text that may be read: below the corner's nats. */
export const isFluent = ({ cross_entropy }: Pick<Point, 'cross_entropy'>): boolean =>
  cross_entropy < HYPERVOLUME_CORNER.crossEntropy;

/** The point of the largest z, of equal ones the first; null where there is none. */
export const strongestOf = <T extends Pick<Point, 'z'>>(points: readonly T[]): T | null =>
  points.reduce<T | null>((a, b) => (a && a.z >= b.z ? a : b), null);

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

const isFinitePoint = (point: Point) =>
  Number.isFinite(point.cross_entropy) && Number.isFinite(point.z) && Number.isFinite(marginOf(point));

/**
 * The points that no other dominates, by rising cross entropy; of equal ones the first. What `Frontier` keeps, for many
 * at once: n log n.
 */
export function nonDominated<T extends Point>(points: readonly T[]): T[] {
  const sorted = points
    .filter(isFinitePoint)
    .sort((a, b) => a.cross_entropy - b.cross_entropy || b.z - a.z || marginOf(b) - marginOf(a));
  const levels = Float64Array.from(sorted, ({ z }) => z).sort();
  const margins = new PrefixMaximum(levels.length);
  return sorted.filter((point) => {
    // All before it are as probable: it counts unless one of them with as large a z has as large a margin.
    const place = levels.length - countBelow(levels, point.z);
    if (margins.upTo(place) >= marginOf(point)) return false;
    margins.raise(place, marginOf(point));
    return true;
  });
}

/** The largest value at the places 1 to any other, kept up to date in log n (a Fenwick tree). */
class PrefixMaximum {
  private readonly tree: Float64Array;

  constructor(length: number) {
    this.tree = new Float64Array(length + 1).fill(Number.NEGATIVE_INFINITY);
  }

  raise(place: number, value: number): void {
    const { tree } = this;
    for (let i = place; i < tree.length; i += i & -i) if (tree[i]! < value) tree[i] = value;
  }

  upTo(place: number): number {
    let most = Number.NEGATIVE_INFINITY;
    for (let i = place; i > 0; i -= i & -i) most = Math.max(most, this.tree[i]!);
    return most;
  }
}

/** How many of the rising values are less. */
function countBelow(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The area between the (cross entropy, z) front and the corner, in nats times sigmas: one figure for a whole front. */
export function hypervolume(points: readonly Point[]): number {
  return areaUnder(fluencyFront(points), ({ z }) => z);
}

/** Area of a front sorted by rising cross entropy and value. */
function areaUnder<T extends Point>(front: readonly T[], measureOf: (point: T) => number): number {
  const { crossEntropy: limit, z: floor } = HYPERVOLUME_CORNER;
  let area = 0;
  for (const [i, point] of front.entries()) {
    const next = Math.min(front[i + 1]?.cross_entropy ?? limit, limit);
    area += Math.max(0, next - point.cross_entropy) * Math.max(0, measureOf(point) - floor);
  }
  return area;
}

/** The texts that no more probable one beats in one other figure: z, or the margin. Kept sorted, with its area. */
export class Staircase<T extends Point> {
  private kept: T[] = [];
  /** Nats times sigmas, to the corner of the hypervolume. */
  area = 0;

  constructor(private readonly measureOf: (point: Point) => number) {}

  /** By rising cross entropy and value. */
  get members(): readonly T[] {
    return this.kept;
  }

  /** Takes a point in where no other beats it; returns by how much the area grew. */
  add(point: T): number {
    if (!this.wouldKeep(point)) return 0;
    const value = this.measureOf(point);
    const rest = this.kept.filter(
      (member) => member.cross_entropy < point.cross_entropy || this.measureOf(member) > value,
    );
    const at = rest.findIndex((member) => member.cross_entropy >= point.cross_entropy);
    rest.splice(at === -1 ? rest.length : at, 0, point);
    const before = this.area;
    this.kept = rest;
    this.area = areaUnder(rest, this.measureOf);
    return this.area - before;
  }

  /** Whether nothing here is at least as good. */
  wouldKeep(point: Point): boolean {
    const value = this.measureOf(point);
    return !this.kept.some(
      (member) => member.cross_entropy <= point.cross_entropy && this.measureOf(member) >= value,
    );
  }
}

/** An archive that keeps what is not dominated in the three directions. */
export class Frontier<T extends Point = ScoredText> {
  private kept: T[] = [];

  /** Keeps the candidate unless one already here is at least as good in everything. Returns whether it was kept. */
  add(candidate: T): boolean {
    if (!isFinitePoint(candidate) || !this.wouldKeep(candidate)) return false;
    this.kept = this.kept.filter((member) => !dominates(candidate, member));
    this.kept.push(candidate);
    return true;
  }

  /** Whether nothing here is at least as good in everything. */
  wouldKeep(point: Point): boolean {
    return !this.kept.some((member) => dominates(member, point));
  }

  /** By rising cross entropy. */
  get members(): T[] {
    return [...this.kept].sort((a, b) => a.cross_entropy - b.cross_entropy || b.z - a.z);
  }

  get size(): number {
    return this.kept.length;
  }
}
