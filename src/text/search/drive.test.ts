import { expect, it } from 'vitest';
import { eventClock, stamped } from '../../runs/events.js';
import type { Arena } from './arena.js';
import { drive } from './drive.js';

const options = {
  arena: {} as never,
  budget: { evaluations: 9 },
  signal: undefined,
  source: 'search',
  note: '',
} as const;

it('ends the method when the consumer stops', async () => {
  let ended = false;
  async function* method() {
    try {
      for (;;) yield;
    } finally {
      ended = true;
    }
  }
  const run = drive(method, options);
  for await (const _ of stamped(run, eventClock())) break;
  expect(ended).toBe(true);
});

it('counts what an earlier part spent, also where that had found nothing', async () => {
  async function* method() {
    for (;;) yield;
  }
  const run = drive(method, {
    arena: { positions: 5 } as never,
    budget: { evaluations: 9 },
    signal: undefined,
    source: 'search',
    note: '',
    earlier: { found: [], seconds: 3, evaluations: 6, clock: 0 },
  });
  const { value } = await run.next();
  await run.return(undefined as never);
  expect(value).toMatchObject({ kind: 'progress', done: 6, total: 9 });
});

it('reports what the last turn found', async () => {
  async function* method(arena: Arena) {
    arena.takeEntered = () => [{ candidate: { report: { text: 'found' } }, operator: 'swap' }] as never;
  }
  const run = drive(method, options);
  expect((await run.next()).value).toMatchObject({ kind: 'candidate', candidate: { text: 'found' } });
  expect((await run.next()).done).toBe(true);
});

it('reports what a turn had found before it failed', async () => {
  async function* method(arena: Arena) {
    arena.takeEntered = () => [{ candidate: { report: { text: 'found' } }, operator: 'swap' }] as never;
    throw new Error('the device was lost');
  }
  const run = drive(method, options);
  expect((await run.next()).value).toMatchObject({ kind: 'candidate', candidate: { text: 'found' } });
  await expect(run.next()).rejects.toThrow('the device was lost');
});
