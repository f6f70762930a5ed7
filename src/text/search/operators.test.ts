/** Operators: what each may change of its parent, whatever is drawn. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import type { Candidate } from './candidate.js';
import { type Material, operators } from './operators.js';
import type { TokenLists } from './proposals.js';

const POSITIONS = 9;
const candidate = (ids: number[], peak: number): Candidate => ({
  ids: Int32Array.from(ids),
  peak,
  cross_entropy: 1,
  z: 1,
  margin: null,
  rivals: 0,
  report: {} as never,
});
const parent = candidate([0, 11, 12, 13, 14, 15, 16, 17, 18], 5);
const mate = candidate([0, 21, 22, 23, 24, 25, 26, 27, 28], 3);
const lists = (first: number): TokenLists => ({
  ids: Int32Array.from({ length: (POSITIONS - 1) * 4 }, (_, i) => first + (i % 4)),
  logProbs: new Float32Array((POSITIONS - 1) * 4),
  gains: new Float32Array((POSITIONS - 1) * 4),
  count: 4,
});
const material = (seed: number): Material => ({
  parent,
  mate,
  triggers: [Int32Array.of(0, 31, 32, 33)],
  proposals: { likely: lists(100), gradient: lists(200) },
  random: new Random(seed),
});
const seeds = Array.from({ length: 200 }, (_, seed) => seed);
const drafts = (name: keyof typeof operators) => seeds.map((seed) => operators[name](material(seed)));
const changed = (row: Int32Array) => [...row.keys()].filter((i) => row[i] !== parent.ids[i]);

describe('operators', () => {
  it.each(Object.keys(operators) as (keyof typeof operators)[])('%s drafts what can be', (name) => {
    for (const { row, rewrite } of drafts(name)) {
      expect(row).toHaveLength(POSITIONS);
      expect(row[0]).toBe(0);
      if (!rewrite) continue;
      expect(rewrite.from).toBeGreaterThanOrEqual(1);
      expect(rewrite.count).toBeGreaterThanOrEqual(1);
      expect(rewrite.from + rewrite.count).toBeLessThanOrEqual(POSITIONS);
    }
    expect(Array.from(parent.ids)).toEqual([0, 11, 12, 13, 14, 15, 16, 17, 18]);
  });

  it('swap changes one token anywhere, gradient and mutate one that the peak can see', () => {
    expect(new Set(drafts('swap').flatMap(({ row }) => changed(row)))).toEqual(
      new Set([1, 2, 3, 4, 5, 6, 7, 8]),
    );
    for (const { row } of drafts('swap')) expect(changed(row)).toHaveLength(1);
    for (const name of ['gradient', 'mutate'] as const)
      expect(new Set(drafts(name).flatMap(({ row }) => changed(row)))).toEqual(new Set([1, 2, 3, 4, 5]));
  });

  it('mutate takes any token of the list, likely or not', () => {
    const list = lists(200);
    list.logProbs.fill(-100).fill(0, 0, 1);
    const drawn = seeds.map((seed) => {
      const { row } = operators.mutate({ ...material(seed), proposals: { likely: list, gradient: list } });
      return row[changed(row)[0]!];
    });
    expect(new Set(drawn)).toEqual(new Set([200, 201, 202, 203]));
  });

  it('tail leaves everything up to the peak alone', () => {
    for (const { row, rewrite } of drafts('tail')) {
      expect(changed(row)).toEqual([]);
      expect(rewrite).toMatchObject({ from: 6, count: 3 });
    }
  });

  it('insert and remove move what follows by one', () => {
    for (const { row } of drafts('insert')) {
      const [at] = changed(row) as [number];
      expect(Array.from(row.subarray(at + 1))).toEqual(Array.from(parent.ids.subarray(at, -1)));
      expect(row[at]).toBeGreaterThanOrEqual(100);
    }
    for (const { row } of drafts('remove')) {
      const at = changed(row)[0] ?? POSITIONS - 1;
      expect(Array.from(row.subarray(at, -1))).toEqual(Array.from(parent.ids.subarray(at + 1)));
    }
  });

  it('keeps the end where the peak is the end, and lets the beginning move', () => {
    const last = POSITIONS - 1;
    const atEnd = { ...parent, peak: last };
    const of = (name: keyof typeof operators) =>
      seeds.map((seed) => operators[name]({ ...material(seed), parent: atEnd }));
    for (const { row, rewrite } of [...of('tail'), ...of('remove'), ...of('insert')]) {
      expect(row[0]).toBe(0);
      expect(row[last]).toBe(parent.ids[last]);
      if (rewrite) expect(rewrite.from + rewrite.count).toBeLessThanOrEqual(last);
    }
    for (const { row, rewrite } of of('remove')) {
      const kept = Array.from(row.subarray(2));
      const gone = Array.from(parent.ids.subarray(1)).filter((id) => !kept.includes(id));
      expect(rewrite).toMatchObject({ from: 1, count: 1 });
      expect(gone).toHaveLength(1);
      expect(kept).toEqual([...kept].sort());
    }
    for (const { row } of of('insert')) {
      const at = row.findIndex((id) => id >= 100);
      expect(Array.from(row.subarray(1, at))).toEqual(Array.from(parent.ids.subarray(2, at + 1)));
      expect(Array.from(row.subarray(at + 1))).toEqual(Array.from(parent.ids.subarray(at + 1)));
    }
    for (const { row, rewrite } of of('transplant')) {
      expect(row[last]).toBe(23);
      expect(rewrite).toBeNull();
    }
  });

  it('cross joins a beginning and an end, transplant puts in what leads to the other peak', () => {
    for (const { row } of drafts('cross')) {
      const cut = Array.from(row).findIndex((id) => id > 20);
      expect(Array.from(row.subarray(1, cut))).toEqual(Array.from(parent.ids.subarray(1, cut)));
      expect(Array.from(row.subarray(cut))).toEqual(Array.from(mate.ids.subarray(cut)));
    }
    for (const { row, rewrite } of drafts('transplant')) {
      const graft = Array.from(row).filter((id) => id > 20);
      expect([[23], [22, 23], [21, 22, 23]]).toContainEqual(graft);
      const after = row.indexOf(23) + 1;
      expect(rewrite?.from ?? POSITIONS).toBe(after);
    }
  });

  it('graft puts in a trigger or its end', () => {
    const grafts = drafts('graft').map(({ row, rewrite }) => {
      expect(rewrite?.from ?? POSITIONS).toBe(row.indexOf(33) + 1);
      return Array.from(row).filter((id) => id > 30);
    });
    for (const end of [[33], [32, 33], [31, 32, 33]]) expect(grafts).toContainEqual(end);
    expect(new Set(grafts.map(String)).size).toBe(3);
  });

  it('draws tokens as often as prior and gain say, never the one that is there', () => {
    const weights = [0.6, 0.3, 0.1];
    const list: TokenLists = {
      ids: Int32Array.from(
        { length: (POSITIONS - 1) * 4 },
        (_, i) => [100, 101, 102, parent.ids[1 + (i >> 2)]!][i % 4]!,
      ),
      logProbs: Float32Array.from(
        { length: (POSITIONS - 1) * 4 },
        (_, i) => 0.7 * Math.log([...weights, 50][i % 4]!),
      ),
      gains: new Float32Array((POSITIONS - 1) * 4),
      count: 4,
    };
    const random = new Random(7);
    const counts = new Map<number, number>();
    for (let i = 0; i < 6000; i++) {
      const { row } = operators.swap({ ...material(0), proposals: { likely: list, gradient: list }, random });
      const token = row[changed(row)[0]!]!;
      counts.set(token, (counts.get(token) ?? 0) + 1);
    }
    for (const [i, weight] of weights.entries())
      expect(Math.abs(counts.get(100 + i)! / 6000 - weight)).toBeLessThan(
        4 * Math.sqrt((weight * (1 - weight)) / 6000),
      );
  });
});
