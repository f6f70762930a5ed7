/** Samples of the prior against its exact distribution. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runOn } from '../../../test/helpers/engines.js';
import { randomModel, subjectOf, tinyConfigs } from '../../../test/helpers/random-model.js';
import { Random } from '../../core/random.js';
import type * as tf from '../../engine/functions/tfjs.js';
import { forward } from '../lm/transformer.js';
import type { Rewrite } from './draw-jobs.js';
import { nothingKnown } from './known.js';
import { Sampler, type SamplerOptions } from './sampler.js';

const positions = 7;
const banned = [0, 4];

describe.each(Object.entries(tinyConfigs))('Prior of %s', (_, config) => {
  const { spec, weights } = randomModel(config, 3);
  const { vocab } = spec;
  const subject = subjectOf({ spec, weights }, banned);
  const options: SamplerOptions = { subject, positions, batch: 64, parents: 2, logProbs: true };
  let sampler: Sampler;
  beforeAll(async () => {
    sampler = await Sampler.create(options);
  });
  afterAll(() => sampler.dispose());

  /** The next token's exact distribution after each prefix, `[prefix][vocab]`. */
  async function exact(
    prefixes: readonly number[][],
    temperature = 1,
    without: readonly number[] = banned,
  ): Promise<number[][]> {
    const pos = prefixes[0]!.length;
    const fn = (inputs: Record<string, tf.Tensor>, lookup: (name: string) => tf.Tensor) => ({
      logits: forward(spec, lookup, { ids: inputs.ids! }).at('logits'),
    });
    const ids = { shape: [prefixes.length, pos], data: Int32Array.from(prefixes.flat()) };
    const { logits } = await runOn('onnx', fn, { ids }, weights);
    return prefixes.map((_, row) => {
      const start = (row * pos + pos - 1) * vocab;
      const weightOf = (token: number) =>
        without.includes(token) ? 0 : Math.exp(logits!.data[start + token]! / temperature);
      const all = Array.from({ length: vocab }, (_, token) => weightOf(token));
      const total = all.reduce((sum, x) => sum + x, 0);
      return all.map((x) => x / total);
    });
  }

  /**
   * Pearson's chi-square of draws against a distribution, less its degrees of freedom, over its standard deviation:
   * about normal when the draws are right. Tokens expected fewer than five times are counted together.
   */
  function surprise(drawn: readonly number[], distribution: readonly number[]): number {
    const cells: { seen: number; expected: number }[] = [{ seen: 0, expected: 0 }];
    for (const [token, p] of distribution.entries()) {
      const seen = drawn.filter((other) => other === token).length;
      const expected = p * drawn.length;
      if (p === 0) expect(seen).toBe(0);
      else if (expected >= 5) cells.push({ seen, expected });
      else cells[0] = { seen: cells[0]!.seen + seen, expected: cells[0]!.expected + expected };
    }
    const used = cells.filter(({ expected }) => expected > 0);
    const chiSquare = used.reduce((sum, { seen, expected }) => sum + (seen - expected) ** 2 / expected, 0);
    const freedom = Math.max(1, used.length - 1);
    return (chiSquare - freedom) / Math.sqrt(2 * freedom);
  }

  const rowsOf = (flat: Int32Array) =>
    Array.from({ length: flat.length / positions }, (_, row) =>
      Array.from(flat.subarray(row * positions, (row + 1) * positions)),
    );

  it.each([1, 0.5])('draws each token as often as it should, temperature %d', async (temperature) => {
    const rows = rowsOf(await sampler.sample(1536, new Random(5), temperature));
    expect(rows.every((row) => row[0] === 0)).toBe(true);
    const [first] = await exact([[0]], temperature);
    expect(
      Math.abs(
        surprise(
          rows.map((row) => row[1]!),
          first!,
        ),
      ),
    ).toBeLessThan(4);
    // Every prefix has a distribution of its own, so last tokens are counted against the mean of them.
    const prefixes = rows.map((row) => row.slice(0, -1));
    const given = await exact(prefixes, temperature);
    const expected = Array.from({ length: vocab }, (_, token) =>
      given.reduce((sum, row) => sum + row[token]! / rows.length, 0),
    );
    expect(
      surprise(
        rows.map((row) => row.at(-1)!),
        expected,
      ),
    ).toBeLessThan(4);
  });

  it('draws a token given what stands before it, each row at its own place', async () => {
    const prefix = [0, 3, 7, 1, 9];
    const other = [0, 8];
    const [afterPrefix] = await exact([prefix]);
    const [afterOther] = await exact([other]);
    const count = 6400;
    const rows = new Int32Array(count * positions);
    const filled = (start: readonly number[]) =>
      Int32Array.from([...start, 2, 2, 2, 2, 2].slice(0, positions));
    // Some have the whole prefix of their parent, some a changed token in it, some nothing but BOS.
    const even = [
      [...prefix, 5],
      [0, 3, 6, 1, 9],
      [0, 7],
    ].map(filled);
    const odd = [filled([...other, 1])];
    const parents: Int32Array[] = [];
    const rewrites = Array.from({ length: count }, (_, row): Rewrite => {
      const isEven = row % 2 === 0;
      rows.set(filled(isEven ? prefix : other), row * positions);
      const mine = isEven ? even : odd;
      parents.push(mine[(row >> 1) % mine.length]!);
      return { from: isEven ? 5 : 2, count: 1 };
    });
    const known = Array.from({ length: count }, () => nothingKnown(positions));
    const drawn = rowsOf(await sampler.rewrite(rows, rewrites, new Random(6), parents, known));
    // Rows 0 and 2 have the prefixes' tokens up to 5 and up to 2 in common with their parents.
    const [[drawnThere], [passed]] = [await exact([prefix], 1, []), await exact([[0, 3, 7]], 1, [])];
    expect(known[0]!.logProbs[5]).toBeCloseTo(Math.log(drawnThere![drawn[0]![5]!]!), 4);
    expect(known[2]!.logProbs[3]).toBeCloseTo(Math.log(passed![prefix[3]!]!), 4);
    const unread = [known[0]!.logProbs[4], known[0]!.logProbs[6], known[2]!.logProbs[2], known[0]!.z[5]];
    expect(unread).toEqual(unread.map(() => Number.NaN));
    const at = (even: boolean) => drawn.filter((_, row) => (row % 2 === 0) === even);
    expect(
      surprise(
        at(true).map((row) => row[5]!),
        afterPrefix!,
      ),
    ).toBeLessThan(4);
    expect(
      surprise(
        at(false).map((row) => row[2]!),
        afterOther!,
      ),
    ).toBeLessThan(4);
  });

  it('leaves everything outside of its range alone', async () => {
    const random = new Random(8);
    const rows = Int32Array.from({ length: 100 * positions }, () => random.integer(vocab));
    const before = rows.slice();
    const rewrites = Array.from({ length: 100 }, (): Rewrite => {
      const from = 1 + random.integer(positions - 1);
      return { from, count: random.integer(positions - from + 1) };
    });
    const parents = Array.from({ length: 3 }, (_, i) => rows.slice(i * positions, (i + 1) * positions));
    const drawn = await sampler.rewrite(
      rows,
      rewrites,
      random,
      rewrites.map((_, row) => parents[row % 3]!),
    );
    expect(rows).toEqual(before);
    let changed = 0;
    for (const [row, { from, count }] of rewrites.entries()) {
      for (let i = 0; i < positions; i++) {
        const inside = i >= from && i < from + count;
        const [old, now] = [rows[row * positions + i]!, drawn[row * positions + i]!];
        if (!inside) expect(now).toBe(old);
        else if (now !== old) changed++;
        if (inside) expect(banned).not.toContain(now);
      }
    }
    expect(changed).toBeGreaterThan(100);
  });

  it('gives the same for the same seed, however full the batch', async () => {
    const full = await sampler.sample(64, new Random(9));
    expect(await sampler.sample(64, new Random(9))).toEqual(full);
    expect(await sampler.sample(64, new Random(10))).not.toEqual(full);
    expect(await sampler.sample(5, new Random(9))).toEqual(full.subarray(0, 5 * positions));
    expect((await sampler.sample(70, new Random(9))).subarray(0, 64 * positions)).toEqual(full);
  });

  it('draws and tells the same a token a call, as of weights that are widened in each', async () => {
    const { names } = weights;
    const halves = { stay: true, type: () => undefined, read: () => new Uint16Array() };
    const read = (name: string) => weights.read(name);
    const wide = { names, shape: (name: string) => weights.shape(name), read, halves };
    const stepwise = await Sampler.create({ ...options, subject: { ...subject, weights: wide }, batch: 3 });
    const inTurns = await Sampler.create({ ...options, batch: 3 });
    const random = new Random(4);
    const rows = Int32Array.from({ length: 20 * positions }, () => random.integer(vocab));
    const rewrites = Array.from({ length: 20 }, (): Rewrite => {
      const from = 1 + random.integer(positions - 1);
      return { from, count: random.integer(positions - from + 1) };
    });
    const parents = rewrites.map((_, row) => rows.slice((row % 5) * positions, ((row % 5) + 1) * positions));
    const results = [];
    for (const each of [inTurns, stepwise]) {
      const known = rewrites.map(() => nothingKnown(positions));
      const drawn = await each.rewrite(rows, rewrites, new Random(5), parents, known);
      const told = known.flatMap(({ logProbs }) => Array.from(logProbs, (x) => x.toFixed(3)));
      results.push({ drawn, told, read: each.tokensRead });
    }
    expect(results[1]).toEqual(results[0]);
    stepwise.dispose();
    inTurns.dispose();
  });

  it('draws the same on the cpu engine', async () => {
    const eager = await Sampler.create({ ...options, subject: { ...subject, engine: 'cpu' }, batch: 8 });
    const traced = await Sampler.create({ ...options, batch: 8 });
    expect(await eager.sample(8, new Random(9))).toEqual(await traced.sample(8, new Random(9)));
    eager.dispose();
    traced.dispose();
  });
});
