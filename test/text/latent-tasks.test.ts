/** @file Latents in every task, beside each kind of reference class. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import { writeSafetensors } from '../../src/engine/weights/safetensors.js';
import { type LanguageModel, openModel } from '../../src/index.js';

const scratch = mkdtempSync(join(tmpdir(), 'latent-tasks-'));
const folder = join(scratch, 'sae');
const latent = `sae:${folder}@blocks.1.hook_resid_post#3`;
/** Latents drawn, latents listed, and units of other kinds. */
const classes = [
  ['random:8', 8],
  [`${latent.replace('#3', '#4')}, ${latent.replace('#3', '#5')}`, 2],
  ['L1.H2, L2.N7', 2],
] as const;
let model: LanguageModel;

beforeAll(async () => {
  const random = new Random(1);
  const [width, size] = [192, 24];
  const array = (...shape: number[]) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
  });
  const arrays = {
    W_enc: array(width, size),
    W_dec: array(size, width),
    b_enc: array(size),
    b_dec: array(width),
  };
  mkdirSync(folder);
  writeSafetensors(join(folder, 'sae_weights.safetensors'), Object.entries(arrays));
  writeFileSync(join(folder, 'cfg.json'), JSON.stringify({ d_in: width, d_sae: size }));
  writeFileSync(
    join(scratch, 'text.txt'),
    'What does it mean? Nothing, said the man, and went away. '.repeat(20),
  );
  model = await openModel('books-lm');
});
afterAll(() => rmSync(scratch, { recursive: true }));

const few = { calibrationTokens: 512, seed: 1 } as const;

it.each(classes)('score against %s', async (reference, size) => {
  const { units } = await model.score('What does it mean?', latent, { ...few, reference });
  expect(units[0]!.rank).toBeGreaterThanOrEqual(1);
  expect(units[0]!.rank).toBeLessThanOrEqual(size + 1);
  expect(units[0]!.margin).not.toBeNull();
});

it('text against latents that are drawn', async () => {
  const options = { ...few, evaluations: 40, length: 4, finalists: 0, baseline: false } as const;
  const search = await model.search(latent, { ...options, method: 'prior', reference: classes[0][0] });
  expect(search.unit).toBe(latent);
  expect(search.frontier.every(({ margin }) => margin !== null)).toBe(true);
});

it('corpus against latents that are listed', async () => {
  const options = { ...few, reference: classes[1][0], top: 2 };
  const { unit, frontier } = await model.corpus(latent, join(scratch, 'text.txt'), options);
  expect(unit).toBe(latent);
  expect(frontier.every(({ margin }) => margin !== null)).toBe(true);
});

it('tune against units of other kinds', async () => {
  const options = { ...few, reference: classes[2][0], steps: 1, batch: 2, length: 3 };
  expect((await model.tune(latent, options)).unit).toBe(latent);
});
