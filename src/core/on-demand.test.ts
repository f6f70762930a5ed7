import { describe, expect, it } from 'vitest';
import { OnDemand } from './on-demand.js';

const thing = () => ({
  disposed: 0,
  dispose() {
    this.disposed++;
  },
});

describe('OnDemand', () => {
  it('makes a thing once a key, and disposes of all', async () => {
    const things = new OnDemand<number, ReturnType<typeof thing>>();
    const make = async () => thing();
    const [a, again, b] = await Promise.all([things.get(1, make), things.get(1, make), things.get(2, make)]);
    expect(again).toBe(a);
    expect(b).not.toBe(a);
    await things.dispose();
    await things.dispose();
    expect([a.disposed, b.disposed]).toEqual([1, 1]);
    expect(await things.get(1, make)).not.toBe(a);
  });

  it('makes again what failed, and still disposes of the rest', async () => {
    const things = new OnDemand<number, ReturnType<typeof thing>>();
    const fail = async () => {
      throw new Error('no memory');
    };
    await expect(things.get(1, fail)).rejects.toThrow('no memory');
    const made = await things.get(1, async () => thing());
    const failing = things.get(2, fail);
    await Promise.all([things.dispose(), expect(failing).rejects.toThrow('no memory')]);
    expect(made.disposed).toBe(1);
  });
});
