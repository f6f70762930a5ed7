import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack } from './packing.js';

/** Sequences of a call put together again from the parents and the call's tokens. */
function unpacked(
  parents: readonly Int32Array[],
  { children, ids, sources }: { children: readonly number[]; ids: Int32Array; sources: Int32Array },
  positions: number,
): [number, number[]][] {
  const known = parents.flatMap((parent) => [...parent]);
  return children.map((child, sequence) => [
    child,
    Array.from(sources.subarray(sequence * positions, (sequence + 1) * positions), (source) =>
      source < known.length ? known[source]! : ids[source - known.length]!,
    ),
  ]);
}

describe('pack', () => {
  it('loses nothing, keeps to the size of a call, and gives each token its place', () => {
    const row = (positions: number) =>
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: positions, maxLength: positions });
    const cases = fc.integer({ min: 2, max: 7 }).chain((positions) =>
      fc.record({
        positions: fc.constant(positions),
        parents: fc.array(row(positions), { minLength: 1, maxLength: 3 }),
        children: fc.array(fc.tuple(row(positions), fc.nat()), { maxLength: 30 }),
        tokens: fc.integer({ min: positions, max: 20 }),
        sequences: fc.integer({ min: 1, max: 6 }),
      }),
    );
    fc.assert(
      fc.property(cases, ({ positions, parents, children, tokens, sequences }) => {
        const read = parents.map((parent) => Int32Array.from(parent));
        const all = children.map(([ids, number]) => {
          const parentIndex = number % read.length;
          return { ids: Int32Array.from(ids), parent: read[parentIndex]!, parentIndex };
        });
        const sizes = [
          { positions, tokens: Math.max(positions, tokens >> 1), sequences: Math.ceil(sequences / 2) },
          { positions, tokens, sequences },
        ];
        const calls = pack(all, read.length, sizes);
        const found = calls.flatMap((call) => unpacked(read, call, positions));
        expect(found.sort(([a], [b]) => a - b)).toEqual(children.map(([ids], i) => [i, ids]));
        for (const call of calls) {
          expect(call.children.length).toBeLessThanOrEqual(call.size.sequences);
          for (const column of [call.ids, call.positions, call.slots])
            expect(column).toHaveLength(call.size.tokens);
          for (const [token, slot] of call.slots.entries()) {
            expect(call.positions[token]).toBe(slot % positions);
            const own = call.sources[slot]! - read.length * positions;
            expect(call.ids[own]).toBe(call.ids[token]); // itself, or the one that a filler repeats
          }
        }
      }),
    );
  });

  it('computes of a child what comes from its first change on, and the last token of one without', () => {
    const parent = Int32Array.of(1, 2, 3, 4);
    const child = (ids: number[]) => ({ ids: Int32Array.from(ids), parent, parentIndex: 0 });
    const children = [child([1, 2, 9, 4]), child([1, 2, 3, 4]), child([9, 2, 3, 4])];
    const [call] = pack(children, 1, [{ positions: 4, tokens: 8, sequences: 3 }]);
    expect([...call!.ids]).toEqual([9, 4, 4, 9, 2, 3, 4, 9]); // the last one fills up
    expect([...call!.sources]).toEqual([0, 1, 4, 5, 0, 1, 2, 6, 7, 8, 9, 10]);
  });

  it('takes the smallest size that holds a call', () => {
    const parent = Int32Array.of(1, 2, 3, 4);
    const child = { ids: Int32Array.of(1, 2, 9, 4), parent, parentIndex: 0 }; // two tokens
    const [small, large] = [4, 8].map((tokens) => ({ positions: 4, tokens, sequences: 4 }));
    const tokens = (count: number) =>
      pack(Array(count).fill(child), 1, [small!, large!]).map(({ size }) => size.tokens);
    expect([1, 2, 3, 4, 5, 7].map(tokens)).toEqual([[4], [4], [8], [8], [8, 4], [8, 8]]);
  });
});
