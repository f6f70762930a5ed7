import { expect, it } from 'vitest';
import { lastOf } from './last-of.js';

it('shows every step and gives what is returned', async () => {
  const seen: number[] = [];
  const steps = (async function* () {
    yield 1;
    yield 2;
    return 'end';
  })();
  expect(await lastOf(steps, (step) => seen.push(step))).toBe('end');
  expect(seen).toEqual([1, 2]);
});
