import { expect, it } from 'vitest';
import { once, onceEach } from './once.js';

it('computes at the first call only, also what is undefined', () => {
  let calls = 0;
  const value = once(() => void calls++);
  expect([value(), value(), calls]).toEqual([undefined, undefined, 1]);
});

it('computes once for each key', () => {
  const value = onceEach((key: string) => ({ key }));
  expect(value('a')).toBe(value('a'));
  expect(value('b')).toEqual({ key: 'b' });
});
