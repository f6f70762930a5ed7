import { expect, it } from 'vitest';
import { randomModel, subjectOf, tinyConfigs } from '../../../test/helpers/random-model.js';
import { slotsFor } from './slots.js';

it('fewer rows are drawn together where their caches would take what half precision saves', () => {
  const { spec } = subjectOf(randomModel(tinyConfigs.gpt2));
  const slots = (stay: boolean, positions: number, vocab = 256_000) => {
    const halves = { stay, type: () => undefined, read: () => new Uint16Array() };
    const weights = { names: [], shape: () => [], read: () => new Float32Array(), halves };
    const wide = { ...spec, layers: 26, kvHeads: 4, dHead: 256, vocab };
    return slotsFor({ spec: wide, weights }, positions, 32);
  };
  expect(slots(false, 13)).toBe(32);
  expect(slots(true, 13)).toBe(16);
  expect(slots(true, 7, 32_000)).toBe(32);
  expect(slots(true, 4000)).toBe(8);
});
