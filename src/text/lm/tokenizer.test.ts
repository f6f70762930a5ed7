import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shared } from '../../../test/helpers/shared.js';
import { UserError } from '../../core/errors.js';
import { loadTokenizer, type Tokenizer } from './tokenizer.js';

const root = mkdtempSync(join(tmpdir(), 'tokenizer (1) é '));
afterAll(() => rmSync(root, { recursive: true }));

function folderWith(files: Record<string, unknown>): string {
  const folder = mkdtempSync(join(root, 'case '));
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  return folder;
}

/** GPT-2's letters for bytes: printable ones stand for themselves, the others follow from U+0100. */
function byteLetters(): string[] {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}

/** A byte-level tokenizer like GPT-2's, which adds no BOS: 256 bytes, a few merges, one special token. */
function gpt2Like() {
  const merges = ['Ġ t', 'h e', 'Ġt he', 'i n', 'q q'];
  const tokens = [...byteLetters(), ...merges.map((merge) => merge.replace(' ', '')), '<|endoftext|>'];
  return {
    version: '1.0',
    added_tokens: [{ id: tokens.length - 1, content: '<|endoftext|>', special: true }],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    post_processor: { type: 'ByteLevel' },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
  };
}

describe('a byte-level tokenizer', () => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    const folder = folderWith({
      'tokenizer.json': gpt2Like(),
      'tokenizer_config.json': { bos_token: '<|endoftext|>', clean_up_tokenization_spaces: true },
    });
    tokenizer = await loadTokenizer(folder, { vocab: 264, bos: null });
  });

  it('gets one BOS in front, which decoding leaves out', () => {
    expect(tokenizer.bos).toBe(261);
    expect(tokenizer.encode(' the')).toEqual([261, 258]);
    expect(tokenizer.decode([261, 258])).toBe(' the');
    expect(tokenizer.decode([258, 261])).toBe(' the<|endoftext|>');
    expect(tokenizer.encode('')).toEqual([261]);
    expect(tokenizer.decode([261])).toBe('');
  });

  it('decodes what it encoded, every character and space of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const ids = tokenizer.encode(text);
        expect(tokenizer.decode(ids)).toBe(text);
        expect(tokenizer.roundTrips(ids)).toBe(true);
      }),
    );
    expect(tokenizer.decode(tokenizer.encode("Well , do n't"))).toBe("Well , do n't");
  });

  it('knows ids that no text gives', () => {
    const [t, h, e] = [...'the'].map((letter) => tokenizer.tokenId(letter)!);
    expect(tokenizer.roundTrips([261, t!, h!, e!])).toBe(false); // "t" + "he"
    expect(tokenizer.roundTrips([t!])).toBe(false); // no BOS
  });

  it('excludes special tokens, ids without a token and parts of characters', () => {
    const excluded = tokenizer.excludedTokens();
    const partial = byteLetters().flatMap((_, byte) => (byte >= 128 ? [byte] : []));
    expect(excluded).toEqual([...partial, 261, 262, 263]);
  });

  it('shows tokens as they continue a text, and finds them by that', () => {
    expect(tokenizer.tokenString(258)).toBe(' the');
    expect(tokenizer.tokenString(261)).toBe('<|endoftext|>');
    expect(tokenizer.tokenString(0xe2)).toBe('\uFFFD');
    expect(tokenizer.tokenString(263)).toBe('<263>');
    expect(tokenizer.tokenId(' the')).toBe(258);
    expect(tokenizer.tokenId('the')).toBeNull();
  });
});

const stories = shared('models/stories260k');
describe.skipIf(stories.missing)(stories.title('a SentencePiece tokenizer'), () => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    // A relative path, to be sure that both kinds work.
    tokenizer = await loadTokenizer(relative(process.cwd(), stories.path), { vocab: 512, bos: 1 });
  });

  it('keeps the space in front of a token and its bytes', () => {
    const ids = tokenizer.encode('Once upon a time\n');
    expect(ids.map((id) => tokenizer.tokenString(id))).toEqual([
      '<s>',
      ' Once',
      ' upon',
      ' a',
      ' time',
      '\n',
    ]);
    expect(tokenizer.decode(ids)).toBe('Once upon a time\n');
    expect(tokenizer.tokenString(0xe2 + 3)).toBe('<0xE2>');
    expect(tokenizer.tokenString(tokenizer.tokenId('A')!)).toBe('A');
    expect(tokenizer.encode('xA').at(-1)).toBe(tokenizer.tokenId('A'));
  });

  it('never excludes a token that a text is encoded to, except characters of several bytes', () => {
    const excluded = new Set([...tokenizer.excludedTokens()].filter((id) => id !== tokenizer.bos));
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~\n]{0,40}$/), (text) => {
        expect(tokenizer.encode(text).filter((id) => excluded.has(id))).toEqual([]);
      }),
      { numRuns: 500 },
    );
    expect([0, 1, 2].every((id) => tokenizer.excludedTokens().includes(id))).toBe(true);
    expect(excluded.size).toBeLessThan(230);
  });
});

describe('a folder', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['without a tokenizer', {}, /has no tokenizer\.json/],
    ['with half a tokenizer', { 'tokenizer.json': '{"model": ' }, /tokenizer\.json is not valid JSON/],
    [
      'with another thing as tokenizer',
      { 'tokenizer.json': { model: {} } },
      /tokenizer\.json cannot be used: /,
    ],
    ['with the tokenizer of a larger model', { 'tokenizer.json': gpt2Like() }, /belongs to another model/],
  ])('%s is refused', async (_, files, message) => {
    const loading = loadTokenizer(folderWith(files), { vocab: 100, bos: null });
    await expect(loading).rejects.toThrow(UserError);
    await expect(loading).rejects.toThrow(message);
  });

  it('without tokenizer_config.json works, and has no BOS unless the model has', async () => {
    const folder = folderWith({ 'tokenizer.json': gpt2Like() });
    expect((await loadTokenizer(folder, { vocab: 262, bos: null })).encode('in')).toEqual([259]);
    expect((await loadTokenizer(folder, { vocab: 262, bos: 261 })).encode('in')).toEqual([261, 259]);
    // As in Python, the tokenizer's own BOS is what stands before a text, whatever config.json says.
    writeFileSync(
      join(folder, 'tokenizer_config.json'),
      JSON.stringify({ bos_token: { __type: 'AddedToken', content: '<|endoftext|>' } }),
    );
    expect((await loadTokenizer(folder, { vocab: 262, bos: 7 })).encode('in')).toEqual([261, 259]);
  });
});

/** A tokenizer of whole words, or of single characters, like those for proteins and chess. */
function wordLevel(words: readonly string[], more: object = {}) {
  return {
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: 'Split', pattern: { String: '' }, behavior: 'Isolated', invert: false },
    post_processor: null,
    decoder: { type: 'Fuse' },
    model: { type: 'WordLevel', vocab: Object.fromEntries(words.map((word, id) => [word, id])) },
    ...more,
  };
}

const load = (json: object, vocab: number, config: object = {}, bos: number | null = null) =>
  loadTokenizer(folderWith({ 'tokenizer.json': json, 'tokenizer_config.json': config }), { vocab, bos });

describe('a tokenizer that knows no letter a', () => {
  it.each([
    ['digits', ['<s>', '0', '1', '2', '3']],
    ['DNA', ['<s>', 'A', 'C', 'G', 'T']],
    ['chess', ['<s>', 'e', '4', 'N', 'f', '3']],
  ])('reads %s', async (_, words) => {
    const tokenizer = await load(wordLevel(words), words.length, { bos_token: '<s>' });
    const text = words.slice(1).join('');
    const ids = words.map((_, id) => id);
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text);
    expect(tokenizer.tokenString(2)).toBe(words[2]);
    expect(tokenizer.excludedTokens()).toEqual([0]);
  });

  it('names a character that it has no token for', async () => {
    const tokenizer = await load(wordLevel(['<s>', '0', '1']), 3, {}, 0);
    expect(() => tokenizer.encode('012')).toThrow(
      new UserError('the tokenizer has no token for "2", and none for unknown characters: leave it out'),
    );
    expect(tokenizer.roundTrips([0, 1, 2])).toBe(true);
  });

  it('gives unknown characters the token that only tokenizer.json names', async () => {
    const words = ['[UNK]', '0', '1'];
    const json = wordLevel(words);
    const tokenizer = await load({ ...json, model: { ...json.model, unk_token: '[UNK]' } }, 3);
    expect(tokenizer.encode('0x1')).toEqual([1, 0, 2]);
  });
});

describe('a tokenizer from outside', () => {
  it('loses the tokens that the model has no embedding for', async () => {
    const added_tokens = [{ id: 3, content: '<pad>', special: true }];
    const tokenizer = await load(
      wordLevel(['<s>', '<', 'p', 'a', 'd', '>'].slice(0, 3), { added_tokens }),
      3,
    );
    expect(tokenizer.encode('<p')).toEqual([1, 2]);
    expect(tokenizer.tokenString(3)).toBe('<3>');
  });

  it('names its own BOS where the model’s is outside of the vocabulary', async () => {
    expect((await load(wordLevel(['<s>', '0']), 2, { bos_token: '<s>' }, 50256)).bos).toBe(0);
    expect((await load(wordLevel(['0', '</s>']), 2, { eos_token: '</s>' }, 50256)).bos).toBe(1);
    expect((await load(wordLevel(['0', '1']), 2, {}, 50256)).bos).toBeNull();
  });

  it('is stopped when a regular expression does not end', async () => {
    const pattern = { Regex: '(a+)+$' };
    const json = wordLevel(['<s>', 'a', '!'], {
      pre_tokenizer: { type: 'Split', pattern, behavior: 'Isolated', invert: false },
    });
    const tokenizer = await load(json, 3);
    expect(() => tokenizer.encode(`${'a'.repeat(60)}!`)).toThrow(
      /over 2 s for one text: a regular expression/,
    );
  });

  it.each([
    [
      'an id that is none',
      wordLevel([], { model: { type: 'WordLevel', vocab: { a: 2 ** 40 } } }),
      /model.vocab/,
    ],
    ['no words', wordLevel([]), /vocabulary is empty/],
    ['more words than the model', wordLevel(['a', 'b', 'c']), /token 2 \("c"\).*ends at 1/],
    ['a part of an unknown type', wordLevel(['a'], { decoder: { type: '__proto__' } }), /cannot be used/],
  ])('is refused for %s', async (_, json, message) => {
    await expect(load(json, 2)).rejects.toThrow(message);
    await expect(load(json, 2)).rejects.toThrow(UserError);
  });
});
