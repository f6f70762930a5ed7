import { expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { SeenRows } from './seen.js';

it('knows each of many rows once, also as data', () => {
  const random = new Random(1);
  const rows = Array.from({ length: 20_000 }, () => Int32Array.from({ length: 4 }, () => random.integer(24)));
  const [seen, known] = [new SeenRows(), new Set<string>()];
  const isNew = rows.filter((row) => seen.add(row) !== known.has(row.join()) && known.add(row.join()));
  expect(isNew).toHaveLength(rows.length);
  expect(seen.size).toBe(known.size);
  const again = new SeenRows();
  again.addData(seen.data);
  expect(again.size).toBe(known.size);
  expect(rows.some((row) => again.add(row))).toBe(false);
  expect(again.add(Int32Array.of(1, 2))).toBe(true);
});
