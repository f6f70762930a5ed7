import { expect, it } from 'vitest';
import { KeptRows } from './kept-rows.js';

it('keeps the rows of the latest used texts', () => {
  const kept = new KeptRows(100);
  const text = (id: number) => Int32Array.of(0, id);
  const rows = { keys0: new Float32Array(10) };
  for (const id of [1, 2]) kept.add(text(id), rows);
  expect(kept.of(text(1))).toBe(rows);
  kept.add(text(3), rows);
  expect([1, 2, 3].map((id) => kept.of(text(id)) !== undefined)).toEqual([true, false, true]);
  // What is added again counts once.
  for (let i = 0; i < 5; i++) kept.add(text(3), rows);
  expect(kept.of(text(1))).toBe(rows);
});
