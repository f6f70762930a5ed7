import { expect, test } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { fuzz } from './fuzz.js';

test('answers are counted; crashes, and refusals that are no sentence, are faults that can be repeated', async () => {
  const attempt = (random: { integer(bound: number): number }): void => {
    const drawn = random.integer(4);
    if (drawn === 1) throw new UserError('refused');
    if (drawn === 2) throw new TypeError('crashed');
    if (drawn === 3) throw new UserError('refused\u001b[2J');
  };
  const { inputs, right, refused, faults } = await fuzz(attempt, { count: 200, seed: 1 });
  expect([inputs, right + refused + faults.length]).toEqual([200, 200]);
  expect([right, refused, faults.length].every((count) => count > 20)).toBe(true);
  const crash = faults.find(({ what }) => what.includes('crashed'))!;
  const [again] = (await fuzz(attempt, { seed: 1, only: crash.only })).faults;
  expect(again).toMatchObject({ only: crash.only, what: expect.stringContaining('crashed') });
});
