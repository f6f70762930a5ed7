import fc from 'fast-check';
import { expect, test } from 'vitest';
import { didYouMean, editDistance, nearestNames } from './nearest.js';

test('edit distance', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3);
  expect(editDistance('', 'abc')).toBe(3);
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (a, b, c) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
    }),
  );
});

const layers = ['block1_conv1', 'block4_conv1', 'block4_conv2', 'block4_pool', 'mixed3', 'predictions'];

test('the nearest names come first, far ones not at all', () => {
  expect(nearestNames('block4_cnov1', layers)[0]).toBe('block4_conv1');
  expect(nearestNames('Mixed3a', layers)).toEqual(['mixed3']);
  expect(nearestNames('conv1', layers)).toEqual(['block1_conv1', 'block4_conv1']);
  expect(nearestNames('zzzzzz', layers)).toEqual([]);
});

test('the question is a clause of the error', () => {
  expect(didYouMean('mixd3', layers)).toBe('; did you mean "mixed3"?');
  expect(didYouMean('conv1', layers)).toBe('; did you mean "block1_conv1" or "block4_conv1"?');
  expect(didYouMean('zzzzzz', layers)).toBe('');
});

test('of a hundred thousand long names, few are compared', () => {
  const long = 'x'.repeat(1000);
  let read = 0;
  function* names() {
    for (; read < 100_000; read++) yield `${long}${read}`;
    for (; read < 200_000; read++) yield `name${read}`;
  }
  expect(nearestNames(`${long}7`, names())).toEqual([]);
  expect(read).toBe(0);
  expect(nearestNames('name10000', names())[0]).toBe('name100000');
  expect(read).toBeLessThan(106_000);
});
