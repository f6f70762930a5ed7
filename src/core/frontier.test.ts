import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  dominates,
  Frontier,
  fluencyFront,
  hypervolume,
  nonDominated,
  type Point,
  Staircase,
} from './frontier.js';

const point = fc.record({
  cross_entropy: fc.double({ min: 0, max: 8, noNaN: true }),
  z: fc.double({ min: -3, max: 20, noNaN: true }),
  margin: fc.option(fc.double({ min: -10, max: 10, noNaN: true })),
});
const at = (cross_entropy: number, z: number, margin = 0): Point => ({ cross_entropy, z, margin });

describe('nonDominated', () => {
  it('keeps what a frontier keeps that is given one point after the other', () => {
    // Few different values, so that there are ties.
    const coarse = fc.record({
      cross_entropy: fc.nat(5),
      z: fc.nat(5),
      margin: fc.option(fc.integer({ min: -3, max: 3 })),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(point, coarse), { maxLength: 40 }), (points) => {
        const frontier = new Frontier<Point>();
        for (const p of points) frontier.add(p);
        const byAll = (a: Point, b: Point) =>
          a.cross_entropy - b.cross_entropy || b.z - a.z || (b.margin ?? 0) - (a.margin ?? 0);
        expect(nonDominated(points)).toEqual(frontier.members.sort(byAll));
      }),
    );
  });

  it('leaves out what is not finite', () => {
    expect(nonDominated([at(Number.NaN, 1), at(1, Number.POSITIVE_INFINITY), at(2, 3)])).toEqual([at(2, 3)]);
  });
});

describe('Frontier', () => {
  it('takes a second, not minutes, for 200,000 points of which none beats another', () => {
    const points = Array.from({ length: 200_000 }, (_, i) => at(i, i));
    expect(nonDominated(points.map((point) => ({ ...point, margin: -point.z })))).toHaveLength(200_000);
  });

  it('keeps exactly what no other point dominates', () => {
    fc.assert(
      fc.property(fc.array(point, { maxLength: 40 }), (points) => {
        const frontier = new Frontier<Point>();
        for (const p of points) frontier.add(p);
        for (const member of frontier.members) {
          expect(points.some((p) => dominates(p, member) && !dominates(member, p))).toBe(false);
        }
        for (const p of points) expect(frontier.members.some((member) => dominates(member, p))).toBe(true);
      }),
    );
  });

  it('does not take the same point twice, nor one that is not a number', () => {
    const frontier = new Frontier<Point>();
    expect(frontier.add(at(3, 5))).toBe(true);
    expect(frontier.add(at(3, 5))).toBe(false);
    expect(frontier.add(at(Number.NaN, 50))).toBe(false);
    expect(frontier.size).toBe(1);
  });

  it('keeps a weaker text for its margin', () => {
    const frontier = new Frontier<Point>();
    frontier.add(at(3, 5, -1));
    expect(frontier.add(at(3, 4, 2))).toBe(true);
  });
});

describe('hypervolume', () => {
  it('is the area under the staircase up to 6 nats', () => {
    expect(hypervolume([at(2, 3), at(4, 5)])).toBeCloseTo(2 * 3 + 2 * 5);
    expect(hypervolume([at(7, 30), at(2, -1)])).toBe(0);
    expect(hypervolume([])).toBe(0);
  });

  it('never shrinks when a point is added, and the front alone gives it', () => {
    fc.assert(
      fc.property(fc.array(point, { maxLength: 30 }), point, (points, extra) => {
        expect(hypervolume([...points, extra])).toBeGreaterThanOrEqual(hypervolume(points) - 1e-9);
        expect(hypervolume(fluencyFront(points))).toBeCloseTo(hypervolume(points), 9);
      }),
    );
  });
});

describe('Staircase', () => {
  it('grows by what it says, to the front and area of all points', () => {
    fc.assert(
      fc.property(fc.array(point, { maxLength: 40 }), (points) => {
        const front = new Staircase<Point>(({ z }) => z);
        let area = 0;
        for (const p of points) area += front.add(p);
        expect(front.members).toEqual(fluencyFront(points));
        expect(front.area).toBeCloseTo(hypervolume(points), 9);
        expect(area).toBeCloseTo(front.area, 9);
      }),
    );
  });
});
