import { describe, expect, it } from 'vitest';
import { unlessStopped, untilStopped } from './until-stopped.js';

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

describe('unlessStopped', () => {
  it('gives what there is without the work, once its signal has come, and hands other errors on', async () => {
    const stopping = new AbortController();
    const { signal } = stopping;
    const reason = new Error('interrupted');
    const fail = async (error: Error) => {
      throw error;
    };
    await expect(unlessStopped(signal, () => fail(reason), 0)).rejects.toBe(reason);
    const stopped = unlessStopped(
      signal,
      async () => {
        stopping.abort(reason);
        return fail(reason);
      },
      1,
    );
    expect(await stopped).toBe(1);
    expect(await unlessStopped(signal, async () => 2, 3)).toBe(3);
    const other = new AbortController();
    const failing = unlessStopped(
      other.signal,
      async () => {
        other.abort(reason);
        return fail(new Error('other'));
      },
      4,
    );
    await expect(failing).rejects.toThrow('other');
  });
});
