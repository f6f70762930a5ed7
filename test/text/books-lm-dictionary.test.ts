/** @file The dictionary of the embedded language model: what its card says, and its latents by the command line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { embeddedFolder } from '../../src/hub/embedded.js';
import type { listModels } from '../../src/hub/list-models.js';
import { openTextWeights } from '../../src/text/lm/model.js';
import type { ScoreResult } from '../../src/text/score.js';
import { BpeEncoder } from '../../tools/bpe-trainer.js';
import { encodeCorpus, folderVocabulary } from '../../tools/corpus.js';
import { dictionaryFit } from '../../tools/dictionary-fit.js';
import { shared } from '../helpers/shared.js';
import { json, search, type TextDocument } from '../helpers/superstim.js';

const folder = join(embeddedFolder, 'books-lm');
const dictionary = join(folder, 'dictionary');
const card = readFileSync(join(dictionary, 'README.md'), 'utf8');

/** FVU and L0 of a row of the card's table. */
const stated = (row: string): number[] =>
  new RegExp(`^\\| ${row}[^|]* \\| [\\d,]+ \\| ([\\d.]+) \\| ([\\d.]+) \\|`, 'm')
    .exec(card)!
    .slice(1)
    .map(Number);

async function expectFit(tokens: Uint16Array, row: string): Promise<void> {
  const { fvu, l0 } = await dictionaryFit(openTextWeights(folder), dictionary, tokens);
  const [cardFvu, cardL0] = stated(row);
  expect(fvu / cardFvu!).toBeCloseTo(1, 1);
  expect(l0 / cardL0!).toBeCloseTo(1, 1);
  expect([fvu < 0.25, l0 < 20]).toEqual([true, true]);
}

describe('models/books-lm/dictionary explains what its card says', () => {
  it('of the samples on the card of the model', async () => {
    const samples = readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/```text\n(.+?)\n```/gs);
    const encoder = new BpeEncoder(await folderVocabulary(folder));
    await expectFit(Uint16Array.from([...samples].flatMap(([, text]) => encoder.encode(text!))), 'samples');
  });

  const books = shared('data/books-valid.txt.gz');
  it.skipIf(books.missing)(books.title('of books that it was not trained on'), async () => {
    const encoder = new BpeEncoder(await folderVocabulary(folder));
    const tokens = await encodeCorpus(books.path, encoder);
    await expectFit(tokens.subarray(0, 40_000), 'held-out books');
  });
});

describe('latents of the embedded dictionary, by the command line', () => {
  it('are named by superstim models and superstim units', async () => {
    const { embedded } = await json<ReturnType<typeof listModels>>('models');
    expect(embedded.find(({ name }) => name === 'books-lm')?.dictionary).toBe('sae:books-lm');
    expect((await json<{ others: string[] }>('units', 'books-lm')).others).toContain('sae:books-lm#0');
  });

  it('are scored, by any name of the dictionary', async () => {
    const units = ['sae:books-lm#17', `sae:${dictionary}#17`];
    const flags = units.flatMap((unit) => ['--unit', unit]);
    const { units: scores } = await json<ScoreResult>('score', ...flags, '--text', 'It was late.', '--raw');
    expect(scores.map(({ unit }) => unit)).toEqual(units);
    expect(scores[0]!.raw).toEqual(scores[1]!.raw);
  });

  it('have a text found in seconds', async () => {
    const { unit, frontier } = await json<TextDocument>(
      ...search('sae:books-lm#17', 600, '--calibration-tokens', '2048'),
    );
    expect(unit).toBe('sae:books-lm#17');
    const best = frontier.at(-1)!;
    expect([best.z > 5, best.raw > 0]).toEqual([true, true]);
  });
});
