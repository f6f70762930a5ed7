import { describe, expect, it } from 'vitest';
import { untilStopped } from './until-stopped.js';

async function* failing(error: unknown) {
  yield 1;
  throw error;
}

async function all(run: AsyncGenerator<number>): Promise<number[]> {
  const values: number[] = [];
  for await (const value of run) values.push(value);
  return values;
}

describe('untilStopped', () => {
  const stopping = new AbortController();
  const reason = new Error('interrupted');

  it('hands errors on', async () => {
    await expect(all(untilStopped(failing(reason), stopping.signal))).rejects.toBe(reason);
  });

  it('ends where work throws the reason of its signal, and for no other error', async () => {
    stopping.abort(reason);
    expect(await all(untilStopped(failing(reason), stopping.signal))).toEqual([1]);
    await expect(all(untilStopped(failing(new Error('other')), stopping.signal))).rejects.toThrow('other');
  });
});
