import { availableParallelism } from 'node:os';
import { afterEach, expect, it } from 'vitest';
import { THREADS_VARIABLE } from './engine-names.js';
import { mostThreads, withinHalf, withinLimit } from './threads.js';

const before = process.env[THREADS_VARIABLE];
afterEach(() => {
  if (before === undefined) delete process.env[THREADS_VARIABLE];
  else process.env[THREADS_VARIABLE] = before;
});

it.each([
  ['6', 6, [6, 1, 6], [3, 1, 3]],
  ['1', 1, [1, 1, 1], [1, 1, 1]],
])('keeps to %s threads', (variable, most, whole, half) => {
  process.env[THREADS_VARIABLE] = variable;
  expect(mostThreads()).toBe(most);
  expect([0, 1, 8].map(withinLimit)).toEqual(whole);
  expect([0, 1, 8].map(withinHalf)).toEqual(half);
});

it.each(['', 'many', '0', '-2'])('keeps to the cores where "%s" is said', (variable) => {
  process.env[THREADS_VARIABLE] = variable;
  expect(mostThreads()).toBe(availableParallelism());
  // ONNX Runtime's own default, which binds each thread to a core.
  expect([0, 3].map(withinLimit)).toEqual([0, 3]);
});
