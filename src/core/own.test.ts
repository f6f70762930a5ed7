import { expect, it } from 'vitest';
import { own } from './own.js';

it('finds entries, and nothing that every object inherits', () => {
  const table = { a: 1 };
  expect(['a', 'b', 'constructor', '__proto__'].map((name) => own<number>(table, name))).toEqual([
    1,
    undefined,
    undefined,
    undefined,
  ]);
});
