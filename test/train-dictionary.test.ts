import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, expect, it } from 'vitest';
import { Random } from '../src/core/random.js';
import { openTextWeights } from '../src/text/lm/model.js';
import { dictionaryFit } from '../tools/dictionary-fit.js';
import { train, trainingLog } from './helpers/training.js';

const model = fileURLToPath(new URL('../models/books-lm', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'superstim-train-dictionary-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('tools/train-dictionary.ts resumes as if it had not stopped, and writes what it learnt', async () => {
  const corpus = join(folder, 'corpus.gz');
  const random = new Random(2);
  const words = ['the', 'old', 'man', 'came', 'down', 'to', 'see', 'her', 'and', 'said'];
  writeFileSync(corpus, gzipSync(Array.from({ length: 6000 }, () => random.pick(words)).join(' ')));
  const out = join(folder, 'dictionary');
  const run = (work: string, ...more: string[]) =>
    train('train-dictionary.ts', join(folder, work), [
      ...['--model', model, '--corpus', corpus, '--out', out],
      ...['--steps', '12', '--batch', '1', '--latents', '128', '--k', '4', ...more],
    ]);
  const half = run('halves', '--stop-after', '6');
  const whole = run('whole');
  expect(half.equals(whole)).toBe(false);
  expect(run('halves').equals(whole)).toBe(true);
  const unexplained = trainingLog(join(folder, 'whole')).flatMap(({ unexplained }) => unexplained ?? []);
  expect(unexplained).toHaveLength(12);
  expect(unexplained.at(-1)!).toBeLessThan(0.7 * unexplained[0]!);

  // As it was trained, on the same text.
  const bytes = readFileSync(join(folder, 'whole/train.u16'));
  const tokens = new Uint16Array(new Uint8Array(bytes).buffer).subarray(0, 5000);
  const { fvu, l0 } = await dictionaryFit(openTextWeights(model), out, tokens);
  expect(fvu / unexplained.at(-1)!).toBeCloseTo(1, 1);
  expect(l0 / 4).toBeCloseTo(1, 1);
});
