import { describe, expect, it } from 'vitest';
import { eventClock, type Run } from '../runs/events.js';
import { Running } from './running.js';

/** Three warnings and a result; says when it was begun and left. */
async function* counted(log: string[] = []): Run<number> {
  const event = eventClock();
  log.push('begun');
  try {
    for (const message of ['a', 'b', 'c']) yield event({ kind: 'warning', message });
    return 3;
  } finally {
    log.push('left');
  }
}

const messages = async (running: Running<number>, most = 9) => {
  const seen: string[] = [];
  for await (const event of running) {
    if (event.kind === 'warning') seen.push(event.message);
    if (seen.length === most) break;
  }
  return seen;
};

describe('Running', () => {
  it('begins when somebody listens', async () => {
    const log: string[] = [];
    const running = new Running(() => counted(log));
    await Promise.resolve();
    expect(log).toEqual([]);
    expect([await running, await running.result, log]).toEqual([3, 3, ['begun', 'left']]);
  });

  it('gives every event to a loop, also when the result was asked for before', async () => {
    const running = new Running(() => counted());
    const { result } = running;
    expect(await messages(running)).toEqual(['a', 'b', 'c']);
    expect(await result).toBe(3);
    await expect(messages(running)).rejects.toThrow(/one loop only/);
  });

  it('stops with a loop that is left, and then has no result', async () => {
    const log: string[] = [];
    const running = new Running(() => counted(log));
    expect(await messages(running, 2)).toEqual(['a', 'b']);
    expect(log).toEqual(['begun', 'left']);
    await expect(running.result).rejects.toThrow(/left before its end/);
  });

  it('throws where it is awaited and where it is iterated over', async () => {
    const failing = () =>
      // biome-ignore lint/correctness/useYield: it fails before its first event
      new Running(async function* (): Run<number> {
        throw new Error('no');
      });
    await expect(failing()).rejects.toThrow('no');
    const iterated = failing();
    await expect(messages(iterated)).rejects.toThrow('no');
    await expect(iterated.result).rejects.toThrow('no');
  });
});
