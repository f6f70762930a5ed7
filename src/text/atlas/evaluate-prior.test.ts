/** Samples of an atlas: none is scored twice, and their temperature follows how many are repeats. */
import { expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { AtlasArena, type AtlasArenaOptions } from './atlas-arena.js';

/** An arena whose model knows but some texts; what it scores is listed. */
function arenaOf(texts: number) {
  const temperatures: number[] = [];
  const scored: string[] = [];
  const options = {
    panel: {
      units: [],
      options: { subject: { spec: { layers: 1 }, tokenizer: { roundTrips: () => true } } },
      async *score(rows: Int32Array, positions: number) {
        for (let at = 0; at < rows.length; at += positions)
          scored.push(rows.subarray(at, at + positions).join());
        yield* [];
      },
    },
    sampler: {
      async sample(count: number, random: Random, temperature: number) {
        temperatures.push(temperature);
        return Int32Array.from({ length: 2 * count }, (_, i) => (i % 2 ? random.integer(texts) : 0));
      },
    },
    random: Random.of(0, 'test'),
    positions: 2,
    turn: 32,
    batch: 32,
  } as unknown as AtlasArenaOptions;
  const arena = new AtlasArena(options, { evaluations: 10_000, seconds: Number.POSITIVE_INFINITY });
  return { arena, temperatures, scored };
}

it('scores no text twice, and samples warmer where most are repeats', async () => {
  const { arena, temperatures, scored } = arenaOf(5);
  await arena.evaluatePrior(96);
  expect(scored.sort()).toEqual(['0,0', '0,1', '0,2', '0,3', '0,4']);
  expect(arena.ledger.evaluations).toBe(5);
  expect(arena.ledger.lost).toBe(91);
  expect(temperatures[0]).toBe(1);
  expect(temperatures[2]!).toBeGreaterThan(temperatures[1]!);
});

it('samples colder where all are new', async () => {
  const { arena, temperatures, scored } = arenaOf(2 ** 30);
  await arena.evaluatePrior(64);
  expect(scored).toHaveLength(64);
  expect(temperatures[1]!).toBeLessThan(1);
});
