import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distinct, halve, inHalves, pairOf } from './in-halves.js';

const rows = fc.array(fc.record({ family: fc.nat(5), cost: fc.integer({ min: 1, max: 9 }) }), {
  maxLength: 40,
});

describe('halve', () => {
  it('takes every row once, of about the same cost, and parts one family at the most', () => {
    fc.assert(
      fc.property(rows, (all) => {
        const families = all.map(({ family }) => family);
        const costs = all.map(({ cost }) => cost);
        const parts = halve(families, costs);
        expect(parts.flat().sort((a, b) => a - b)).toEqual([...all.keys()]);
        const [first, second] = parts.map((part) => part.reduce((sum, row) => sum + costs[row]!, 0)) as [
          number,
          number,
        ];
        expect(Math.abs(first - second)).toBeLessThanOrEqual(Math.max(0, ...costs));
        const [left, right] = parts.map((part) => new Set(part.map((row) => families[row]!)));
        expect([...left!].filter((family) => right!.has(family)).length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('inHalves', () => {
  it('works on both at once, and not on a half without rows', async () => {
    const begun: string[] = [];
    let open = () => {};
    const both = new Promise<void>((resolve) => {
      open = resolve;
    });
    const work = async (name: string, part: readonly number[]) => {
      begun.push(name);
      if (begun.length === 2) open();
      await both;
      return part.length;
    };
    expect(await inHalves(['a', 'b'], [[0, 2], [1]], work)).toEqual([
      { rows: [0, 2], result: 2 },
      { rows: [1], result: 1 },
    ]);
    expect(await inHalves(['a', 'b'], [[], [0]], async (name) => name)).toEqual([{ rows: [0], result: 'b' }]);
  });
});

describe('a pair', () => {
  it('is made once where both are the same', () => {
    let made = 0;
    const make = (name: string) => ({ name, number: ++made });
    const alone = pairOf(['a', 'a'], make);
    expect(made).toBe(1);
    expect(distinct(alone)).toEqual([{ name: 'a', number: 1 }]);
    expect(distinct(pairOf(['a', 'b'], make)).map(({ name }) => name)).toEqual(['a', 'b']);
  });
});
