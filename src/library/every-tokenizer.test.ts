/** Every kind of tokenizer that the library loads, through score, text and corpus. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  byteLevel,
  metaspaceBpe,
  type TokenizerJson,
  tinyModel,
  unigram,
  wordLevel,
  wordPiece,
} from '../../test/helpers/tiny-tokenizers.js';
import { inFrame } from '../text/lm/frame.js';
import { openModel } from './language-model.js';

const root = mkdtempSync(join(tmpdir(), 'superstim-tokenizers-'));
beforeAll(() => {
  process.env.SUPERSTIM_CACHE = join(root, 'cache');
});
afterAll(() => rmSync(root, { recursive: true }));

const amino = [...'ACDEFGHIKLMNPQRSTVWY'];
const moves = ['e2e4', 'e7e5', 'g1f3', 'b8c6', 'f1b5', 'a7a6'];
const words = (list: readonly string[], type: object) =>
  wordLevel(['<s>', ...list], { pre_tokenizer: type, decoder: null });

const kinds: [string, TokenizerJson, string, string][] = [
  ['digits', wordLevel(['<s>', ...'0123456789']), '<s>', '314159265358979323846264338327950288'],
  ['DNA', wordLevel(['<s>', ...'ACGT']), '<s>', 'GATTACAGATTACAGGCCTTAAGGCATCATCATGATTACA'],
  ['proteins', wordLevel(['<s>', ...amino]), '<s>', 'MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRV'],
  ['chess', words(moves, { type: 'WhitespaceSplit' }), '<s>', Array(9).fill(moves.join(' ')).join(' ')],
  [
    'Unigram',
    unigram(['▁the', '▁cat', '▁', 's', 'a', 't', '▁sat', 'c']),
    '<s>',
    'the cat sat the cats sat the cat '.repeat(5),
  ],
  ['BPE of bytes', byteLevel(), '<|endoftext|>', 'in the thing, thin tin; then in it. '.repeat(5)],
  ['BPE of characters', metaspaceBpe(['▁ a', 'b c', '▁ bc']), '<s>', 'a bc a cab bc bc a b '.repeat(8)],
  [
    'WordPiece',
    wordPiece(['the', 'cat', 'sat', '##s', 'on', 'mat', '##ter']),
    '[CLS]',
    'the cats sat on mat matter '.repeat(8),
  ],
];

describe.each(kinds)('a tokenizer of %s', (_, json, bos_token, natural) => {
  const folder = tinyModel(root, json, { bos_token });
  const file = `${folder}.txt`;
  writeFileSync(file, natural);

  it('gives back what it reads, alone and behind a prefix', async () => {
    const { model } = await openModel(folder);
    const { tokenizer } = model;
    expect(tokenizer.excludedTokens().length).toBeLessThan(tokenizer.vocab);
    const text = tokenizer.decode(tokenizer.encode(natural).slice(0, 8));
    expect(tokenizer.roundTrips(tokenizer.encode(text))).toBe(true);
    const framed = inFrame(model, { prefix: text, suffix: '', chat: null, bos: 'auto' }, 'max').tokenizer;
    expect(framed.decode(framed.encode(text))).toBe(text);
  });

  it('works in score, text and corpus', async () => {
    const lm = await openModel(folder);
    const calibrated = { calibrationTokens: 512 };
    const found = await lm.search('L1.H2', { evaluations: 32, length: 4, baseline: false, ...calibrated });
    const best = found.frontier.at(-1)!;
    const again = await lm.score(best.text, 'L1.H2', calibrated);
    expect(again.token_ids.slice(1)).toEqual(best.token_ids);
    expect(again.units[0]!.peak.z).toBeCloseTo(best.z, 2);
    const scan = await lm.corpus('L1.H2', file, { length: 6, ...calibrated });
    expect(natural).toContain(scan.top[0]!.text.trim());
    await lm.dispose();
  });
});
