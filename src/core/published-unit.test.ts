import { expect, it } from 'vitest';
import { formatMaximum } from './published-unit.js';

it.each([
  [40, 50, 'set/3 on Neuronpedia, maximum 40.00: 1.25 of it here'],
  [40, null, 'set/3 on Neuronpedia, maximum 40.00'],
  [null, 50, 'set/3 on Neuronpedia, maximum not known'],
])('a maximum of %s beside %s', (maximum, raw, line) => {
  expect(formatMaximum({ name: 'set/3', maximum, exemplars: [] }, raw)).toBe(line);
});
