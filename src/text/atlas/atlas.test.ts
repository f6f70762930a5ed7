/** The atlas on the embedded model: what it says of each unit is what single commands say. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { booksSession } from '../../../test/helpers/books-session.js';
import { UsageError } from '../../core/errors.js';
import { dominates, hypervolume } from '../../core/frontier.js';
import { embeddedFolder } from '../../hub/embedded.js';
import { finishRun, type RunEvent } from '../../runs/events.js';
import { loadTextModel, type TextModel } from '../lm/model.js';
import { explainText } from '../readouts/explain.js';
import { scoreText } from '../score.js';
import { searchAtlas } from './atlas.js';
import type { AtlasOptions } from './atlas-options.js';
import type { AtlasUnit } from './atlas-unit.js';
import { type AtlasCheckpoint, atlasCheckpoint } from './checkpoint.js';
import { evidenceAmount } from './describe-units.js';

let model: TextModel;
beforeAll(async () => {
  process.env.SUPERSTIM_CACHE = mkdtempSync(join(tmpdir(), 'superstim-'));
  model = await loadTextModel(`${embeddedFolder}/books-lm`);
});

const options = (changes: Partial<AtlasOptions> = {}): AtlasOptions => ({
  ...booksSession(model),
  units: ['L1.H*', 'L2.N3-5'],
  length: 8,
  budget: { evaluations: 700 },
  ...changes,
});

async function atlas(changes: Partial<AtlasOptions> = {}) {
  const units: AtlasUnit[] = [];
  const events: RunEvent[] = [];
  const result = await finishRun(
    searchAtlas(options(changes), (some) => units.push(...some)),
    (event) => events.push(event),
  );
  return { units, events, result };
}

const rounded = (value: number | null | undefined) => value && Number(value.toFixed(2));

describe('searchAtlas', () => {
  it('finds for each unit what score says of the same texts', async () => {
    const { units, result } = await atlas();
    expect(units.map(({ unit }) => unit)).toEqual([
      ...Array.from({ length: 8 }, (_, i) => `L1.H${i}`),
      ...['L2.N3', 'L2.N4', 'L2.N5'],
    ]);
    expect(result.cost.evaluations).toBe(700);
    for (const { unit, frontier, hypervolume: own } of units) {
      expect(frontier.length).toBeGreaterThan(0);
      expect(hypervolume(frontier)).toBeCloseTo(own, 5);
      for (const one of frontier) {
        expect(one.tokens.join('')).toBe(one.text);
        expect(frontier.some((other) => other !== one && dominates(other, one))).toBe(false);
      }
      const strongest = frontier.reduce((a, b) => (b.z > a.z ? b : a));
      const scored = await finishRun(scoreText({ ...options(), text: strongest.text, units: [unit] }));
      const [score] = scored.units;
      expect(rounded(score!.peak.z)).toBe(rounded(strongest.z));
      expect(rounded(score!.margin)).toBe(rounded(strongest.margin));
      expect(score!.rank).toBe(strongest.rank);
      expect(rounded(scored.cross_entropy)).toBe(rounded(strongest.cross_entropy));
    }
  });

  it('explains texts as explain does', async () => {
    const { units } = await atlas({ budget: { evaluations: 300 } });
    for (const { unit, explanations, head } of [units[2]!, units[9]!]) {
      const [first] = explanations;
      const alone = await finishRun(explainText({ ...options(), unit, text: first!.text }));
      expect(first!.tokens).toEqual(alone.tokens);
      const close = (a: readonly (number | null)[], b: readonly (number | null)[]) => {
        for (const [i, value] of a.entries()) expect(value ?? 0).toBeCloseTo(b[i] ?? 0, 2);
      };
      close(first!.z, alone.z);
      close(first!.raw, alone.raw);
      close(first!.logprobs, alone.logprobs);
      close(first!.attention?.weight ?? [], alone.attention?.weight ?? []);
      close(first!.attention?.contribution ?? [], alone.attention?.contribution ?? []);
      expect(first!.attention === null).toBe(alone.attention === null);
      expect(first!.rivals.slice(0, 3).map((rival) => rival.unit)).toEqual(
        alone.rivals.slice(0, 3).map((rival) => rival.unit),
      );
      expect(first!.logits?.top.map(({ token }) => token).slice(0, 4)).toEqual(
        alone.logits?.top.map(({ token }) => token).slice(0, 4),
      );
      for (const [position, tried] of first!.substitutions.entries()) {
        expect(tried.map(({ token }) => token)).toEqual(
          alone.substitutions[position]!.map(({ token }) => token),
        );
        close(
          tried.map(({ value }) => value),
          alone.substitutions[position]!.map(({ value }) => value),
        );
      }
      expect(head === null).toBe(unit.includes('N'));
    }
  });

  it('measures where heads look', async () => {
    const { units } = await atlas({ units: ['L*.H*'], budget: { evaluations: 64 } });
    for (const { head } of units) {
      const { self, start, previous, distance, entropy, most_entropy, induction } = head!;
      expect(distance[0]).toBeCloseTo(self, 6);
      expect(distance[1]).toBeCloseTo(previous, 6);
      expect(start + distance.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(1.0001);
      expect(entropy).toBeLessThan(most_entropy);
      expect(induction).toBeGreaterThanOrEqual(0);
    }
  });

  it('gives the same for the same seed, and resumes from a checkpoint with all that was found', async () => {
    const checkpoints: AtlasCheckpoint[] = [];
    const saving = { everySeconds: 1000, save: (one: AtlasCheckpoint) => void checkpoints.push(one) };
    const first = await atlas({ budget: { evaluations: 400 }, saving });
    const again = await atlas({ budget: { evaluations: 400 } });
    expect(again.result.units).toEqual(first.result.units);
    const checkpoint = atlasCheckpoint.parse(JSON.parse(JSON.stringify(checkpoints.at(-1))));
    expect(checkpoint.evaluations).toBe(400);
    const resumed = await atlas({ budget: { evaluations: 700 }, earlier: { checkpoint, clock: 5 } });
    expect(resumed.result.cost.evaluations).toBe(700);
    for (const [i, unit] of resumed.result.units.entries())
      expect(unit.hypervolume).toBeGreaterThanOrEqual(first.result.units[i]!.hypervolume - 0.01);
    expect(resumed.events[0]!.at).toBeGreaterThanOrEqual(5);
  });

  it('stops where frontiers hardly grow any more, and at a signal with what it has', async () => {
    const grown = await atlas({ units: ['L0.H0'], length: 2, budget: { growth: true } });
    expect(grown.events.at(-1)).toMatchObject({ kind: 'finished', reason: 'done' });
    const controller = new AbortController();
    const run = searchAtlas(options({ budget: { seconds: 600 }, signal: controller.signal }));
    const stopped = await finishRun(run, (event) => {
      if (event.kind === 'progress' && event.source === 'search' && event.done > 0) controller.abort();
    });
    expect(stopped.units.every(({ texts }) => texts > 0)).toBe(true);
  });

  it('refuses what makes no sense', async () => {
    await expect(atlas({ budget: { seconds: 0 } })).rejects.toThrow(UsageError);
    await expect(atlas({ length: 5000 })).rejects.toThrow(/context/);
    await expect(atlas({ units: ['L7.H*'] })).rejects.toThrow(/matches no unit/);
  });
});

it('reads less of each unit where there are more, so that explaining takes no longer than the search', () => {
  const variants = [64, 65, 1025, 10_001]
    .map(evidenceAmount)
    .map(({ texts, replacements }) => texts * replacements);
  expect(variants).toEqual([32, 10, 3, 0]);
});
