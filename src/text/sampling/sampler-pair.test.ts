/** Rows that two samplers draw side by side. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomModel, subjectOf, tinyConfigs } from '../../../test/helpers/random-model.js';
import { Random } from '../../core/random.js';
import { halfEngines } from '../../engine/engine-names.js';
import type { Rewrite } from './draw-jobs.js';
import { nothingKnown } from './known.js';
import { SamplerPair } from './sampler-pair.js';

const positions = 7;
const model = randomModel(tinyConfigs.llama, 3);
const options = { subject: subjectOf(model, [0, 4]), positions, batch: 16, parents: 2, logProbs: true };

describe('a pair of samplers', () => {
  const alone = ['onnx', 'onnx'] as const;
  let pairs: SamplerPair[];
  beforeAll(async () => {
    pairs = [await SamplerPair.create(options, halfEngines), await SamplerPair.create(options, alone)];
  });
  afterAll(() => {
    for (const pair of pairs) pair.dispose();
  });

  it('draws the same on a machine with one core', async () => {
    const [divided, together] = await Promise.all(pairs.map((pair) => pair.sample(40, new Random(5))));
    expect(divided).toEqual(together);
    const texts = new Set(
      Array.from({ length: 40 }, (_, row) => divided!.slice(row * positions, (row + 1) * positions).join()),
    );
    expect(texts.size).toBeGreaterThan(35);
    expect(pairs[0]!.tokensRead).toBe(pairs[1]!.tokensRead);
  });

  it('rewrites what it is asked to, and tells how probable that is', async () => {
    const random = new Random(6);
    const parents = Array.from({ length: 3 }, () =>
      Int32Array.from({ length: positions }, (_, i) =>
        i === 0 ? 0 : 5 + random.integer(model.spec.vocab - 5),
      ),
    );
    const own = Array.from({ length: 30 }, (_, i) => parents[i % 3]!);
    const rewrites = own.map((_, i): Rewrite => ({ from: 1 + (i % 5), count: 2 }));
    const known = own.map(() => nothingKnown(positions));
    const rows = Int32Array.from(own.flatMap((parent) => [...parent]));
    const written = await pairs[0]!.rewrite(rows, rewrites, random, own, known);
    for (const [row, { from }] of rewrites.entries()) {
      const text = written.subarray(row * positions, (row + 1) * positions);
      for (const [i, id] of text.entries()) if (i < from || i >= from + 2) expect(id).toBe(own[row]![i]);
      const told = known[row]!.logProbs.subarray(from, from + 2);
      expect([...told].every((logProb) => logProb < 0)).toBe(true);
    }
  });

  it('cannot be made where neither half can, with one error', async () => {
    const { weights: whole } = model;
    const read = (): never => {
      throw new Error('the file is gone');
    };
    const weights = { names: whole.names, shape: (name: string) => whole.shape(name), read };
    const broken = { ...options, subject: { ...options.subject, weights } };
    await expect(SamplerPair.create(broken, halfEngines)).rejects.toThrow('the file is gone');
  });
});
