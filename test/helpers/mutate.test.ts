import { expect, test } from 'vitest';
import { Random } from '../../src/core/random.js';
import { mutateBytes, mutateValue } from './mutate.js';

const value = { layers: [{ name: 'a', size: 3, bytes: Uint8Array.of(1, 2, 3) }, { name: 'b' }] };

test('damage is the same for a seed, leaves the original alone, and reaches names, numbers and prototypes', () => {
  const kept = structuredClone(value);
  const damage = (seed: number): unknown[] => {
    const random = new Random(seed);
    return Array.from({ length: 300 }, () => mutateValue(value, random));
  };
  const first = damage(1);
  expect(damage(1)).toEqual(first);
  expect(value).toEqual(kept);
  const texts = first.map((damaged) => JSON.stringify(damaged));
  for (const seen of ['"__proto__":', '"name":"__proto__"', '2147483648', '[[[[']) {
    expect(texts.some((text) => text.includes(seen))).toBe(true);
  }
});

test('bytes are turned, cut, repeated and renamed', () => {
  const random = new Random(2);
  const bytes = new TextEncoder().encode('{"conv1/kernel":1}');
  const damaged = Array.from({ length: 300 }, () => mutateBytes(bytes, random));
  expect(new Set(damaged.map(({ length }) => length)).size).toBeGreaterThan(10);
  expect(damaged.some((each) => new TextDecoder().decode(each).includes('constructor'))).toBe(true);
  expect(mutateBytes(new Uint8Array(0), random)).toHaveLength(0);
});
