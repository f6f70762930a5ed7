import { expect, it } from 'vitest';
import { eventClock, stamped } from '../../runs/events.js';
import { drive } from './drive.js';

it('ends the method when the consumer stops', async () => {
  let ended = false;
  async function* method() {
    try {
      for (;;) yield;
    } finally {
      ended = true;
    }
  }
  const run = drive(method, {
    arena: {} as never,
    budget: { evaluations: 9 },
    signal: undefined,
    source: 'search',
    note: '',
  });
  for await (const _ of stamped(run, eventClock())) break;
  expect(ended).toBe(true);
});
