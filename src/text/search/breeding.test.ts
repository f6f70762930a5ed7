import { expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { Breeding, type GenerationSize } from './breeding.js';
import type { Candidate } from './candidate.js';

/** How many parents a generation of so many children picks. */
async function picked(options: GenerationSize, size?: number): Promise<number> {
  let parents = 0;
  const enough = new Error('picked');
  const breeding = new Breeding<Candidate>({
    options: {
      ...options,
      random: new Random(1),
      positions: 4,
      sampler: { rewrite: nothing, tokensRead: 0 },
    },
    ledger: { left: 1000, isTimed: false, unpaid: (work) => work() },
    pick: (count) => {
      parents = count;
      throw enough;
    },
    propose: nothing,
    isNew: () => true,
    evaluate: nothing,
    evaluatePrior: nothing,
    countTokens: () => undefined,
  });
  await expect(breeding.generation({ prior: 1 }, size)).rejects.toBe(enough);
  return parents;
}

const nothing = () => Promise.reject(new Error('not asked for'));

it.each([
  ['one for 16 children', { turn: 256 }, undefined, 16],
  ['fewer where that is said', { turn: 256, parents: 8 }, undefined, 8],
  ['a share of them for a smaller generation', { turn: 256, parents: 8 }, 96, 3],
  ['one at the least', { turn: 32 }, 5, 1],
] as const)('a generation has %s', async (_, options, size, parents) => {
  expect(await picked(options, size)).toBe(parents);
});
