/** Niches keep what differs at the peak, and every level of fluency gets its turn. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import type { Candidate } from './candidate.js';
import { Niches, pickAlong, reachedBy } from './niches.js';
import type { Prospect } from './scoring.js';

const candidate = (cross_entropy: number, z: number, peakToken: number): Candidate => ({
  ids: Int32Array.of(0, peakToken, 5),
  peak: 1,
  cross_entropy,
  z,
  margin: null,
  rivals: 0,
  report: {} as never,
});

const picks = (pick: (random: Random) => Candidate | null) => {
  const random = new Random(3);
  return Array.from({ length: 2000 }, () => pick(random)!);
};

describe('Niches', () => {
  it('hold the best of each token at the peak, though another is stronger', () => {
    const niches = new Niches();
    expect(niches.pick(new Random(1))).toBeNull();
    for (const z of [3, 9, 5]) niches.add(candidate(1.1, z, 7));
    niches.add(candidate(1.3, 4, 8));
    const found = new Set(picks((random) => niches.pick(random)).map(({ z }) => z));
    expect(found).toEqual(new Set([9, 4]));
  });

  it('drop the weakest token at the peak when full, and what is hardly text', () => {
    const niches = new Niches();
    for (let peakToken = 1; peakToken <= 9; peakToken++) niches.add(candidate(2.2, peakToken, peakToken));
    niches.add(candidate(9, 50, 99));
    const found = new Set(picks((random) => niches.pick(random)).map(({ z }) => z));
    expect(found).toEqual(new Set([2, 3, 4, 5, 6, 7, 8, 9]));
  });
});

describe('what niches could take', () => {
  const prospect = ({ cross_entropy, z, ids }: Candidate, slack = 0): Prospect => ({
    peakToken: ids[1]!,
    worst: { cross_entropy, z: z - slack, margin: null },
    best: { cross_entropy, z: z + slack, margin: null },
  });
  const some = fc.array(
    fc
      .record({ ce: fc.integer({ min: 2, max: 15 }), z: fc.integer({ min: 0, max: 9 }), token: fc.nat(11) })
      .map(({ ce, z, token }) => candidate(ce / 2, z, token)),
    { maxLength: 40 },
  );

  it('is all that they will hold when all have been added', () => {
    fc.assert(
      fc.property(some, some, (members, children) => {
        const niches = new Niches();
        for (const member of members) niches.add(member);
        const reached = reachedBy(children.map((child) => prospect(child)));
        const taken = children.filter((child) => niches.couldTake(prospect(child), reached));
        for (const child of taken) niches.add(child);
        const held = niches.members.map(({ z }) => z).sort();
        for (const child of children) niches.add(child);
        expect(niches.members.map(({ z }) => z).sort()).toEqual(held);
      }),
    );
  });

  it('is not what another is sure to beat in its only niche', () => {
    const niches = new Niches();
    const [weak, strong] = [candidate(4.1, 5, 7), candidate(4.4, 8, 7)];
    const couldTake = (slack: number) =>
      niches.couldTake(prospect(weak, slack), reachedBy([weak, strong].map((one) => prospect(one, slack))));
    expect(niches.couldTake(prospect(weak))).toBe(true);
    expect([couldTake(1), couldTake(2)]).toEqual([false, true]);
    const elsewhere = { ...prospect(weak), worst: { cross_entropy: 4.6, z: weak.z, margin: null } };
    expect(niches.couldTake(elsewhere, reachedBy([prospect(strong)]))).toBe(true);
  });
});

describe('pickAlong', () => {
  it('gives levels of fluency like chances, however crowded, and fewer beyond 5 nats', () => {
    const crowd = Array.from({ length: 30 }, (_, i) => candidate(1.1 + i / 100, i, i));
    const front = [...crowd, candidate(3.2, 40, 1), candidate(5.7, 60, 2), candidate(8, 90, 3)];
    const drawn = picks((random) => pickAlong(front, random));
    const share = (of: (c: Candidate) => boolean) => drawn.filter(of).length / drawn.length;
    expect(share(({ cross_entropy }) => cross_entropy < 2)).toBeCloseTo(1 / 2.4, 1);
    expect(share(({ cross_entropy }) => cross_entropy === 3.2)).toBeCloseTo(1 / 2.4, 1);
    expect(share(({ cross_entropy }) => cross_entropy === 5.7)).toBeCloseTo(0.4 / 2.4, 1);
    expect(share(({ cross_entropy }) => cross_entropy === 8)).toBe(0);
    expect(pickAlong([], new Random(1))).toBeNull();
  });
});
