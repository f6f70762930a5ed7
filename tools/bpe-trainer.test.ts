import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { AutoTokenizer, env, type PreTrainedTokenizer } from '@xenova/transformers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BpeEncoder,
  type BpeVocabulary,
  countWords,
  tokenByteLengths,
  tokenizerConfigJson,
  tokenizerJson,
  trainBpe,
  vocabularyOf,
} from './bpe-trainer.js';

const story = `Once upon a time there was a little girl named Lily. She didn't like the rain; she'd rather play in
the garden with her friends, who'll never tire of playing. "Oh, naïve café!" said the 3 friends in 1,024 ways.
日本語のテキストも少し。 Русский текст тоже. 😀👩‍👩‍👧 end.   Trailing   spaces\t\ttabs\n\n\nand lines.\n`;

function countsOf(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  countWords(text, counts);
  return counts;
}

/** The definition, step by step: count all pairs anew, merge the most frequent one everywhere. */
function trainNaively(counts: ReadonlyMap<string, number>, size: number): [number, number][] {
  let words = [...counts].map(([word, count]) => ({
    ids: [...Buffer.from(word)].map((byte) => byte + 1),
    count,
  }));
  const merges: [number, number][] = [];
  for (let id = 257; id < size; id++) {
    const pairs = new Map<string, { left: number; right: number; count: number }>();
    for (const { ids, count } of words) {
      for (let i = 0; i + 1 < ids.length; i++) {
        const [left, right] = [ids[i]!, ids[i + 1]!];
        const pair = pairs.get(`${left} ${right}`) ?? { left, right, count: 0 };
        pairs.set(`${left} ${right}`, { ...pair, count: pair.count + count });
      }
    }
    const [best] = [...pairs.values()].sort(
      (a, b) => b.count - a.count || a.left - b.left || a.right - b.right,
    );
    if (best === undefined) return merges;
    merges.push([best.left, best.right]);
    words = words.map(({ ids, count }) => {
      const merged: number[] = [];
      for (const next of ids) {
        // A pair that was just merged is one symbol, and cannot be half of another pair.
        if (next === best.right && merged.at(-1) === best.left) merged.splice(-1, 1, id);
        else merged.push(next);
      }
      return { ids: merged, count };
    });
  }
  return merges;
}

/** Any text but lone surrogates, which no UTF-8 can say. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc
    .array(
      fc.constantFrom(
        ' ',
        '  ',
        '\n',
        "'s",
        'the',
        ' the',
        'Lily',
        '12',
        '\u00a0',
        '\ufeff',
        '\u0085',
        'é',
        'e\u0301',
        '😀',
      ),
    )
    .map((pieces) => pieces.join('')),
);

describe('countWords', () => {
  it('cuts as GPT-2 does, and loses nothing', () => {
    expect([...countsOf("I'll  see the the 42nd\n\n end").keys()]).toEqual([
      'I',
      "'ll",
      ' ',
      ' see',
      ' the',
      ' 42',
      'nd',
      '\n\n',
      ' end',
    ]);
    expect(countsOf('the the the').get(' the')).toBe(2);
    fc.assert(
      fc.property(anyText, (text) => {
        const letters = [...countsOf(text)].reduce((sum, [word, count]) => sum + word.length * count, 0);
        expect(letters).toBe(text.length);
      }),
    );
  });
});

describe('trainBpe', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'é'), minLength: 1, maxLength: 12 });
  const wordCounts = fc.array(fc.tuple(letters, fc.integer({ min: 1, max: 5 })), { maxLength: 12 });

  it('finds the merges of the definition', () => {
    fc.assert(
      fc.property(wordCounts, fc.integer({ min: 257, max: 300 }), (words, size) => {
        const counts = new Map(words);
        expect(trainBpe(counts, size).merges).toEqual(trainNaively(counts, size));
      }),
      { numRuns: 300 },
    );
    expect(trainBpe(countsOf(story), 400).merges).toEqual(trainNaively(countsOf(story), 400));
  });

  it('does not depend on the order of the words', () => {
    const words = [...countsOf(story)];
    expect(trainBpe(new Map(words.toReversed()), 500).merges).toEqual(trainBpe(new Map(words), 500).merges);
  });

  it('gives every id a spelling of its own', () => {
    fc.assert(
      fc.property(wordCounts, (words) => {
        const vocabulary = trainBpe(new Map(words), 400);
        const { model } = tokenizerJson(vocabulary) as { model: { vocab: object } };
        expect(Object.keys(model.vocab)).toHaveLength(257 + vocabulary.merges.length);
      }),
    );
  });

  it('stops at the size, or when no pair is left', () => {
    expect(trainBpe(countsOf(story), 300).merges).toHaveLength(300 - 257);
    expect(trainBpe(new Map([['abc', 1]]), 1000).merges).toHaveLength(2);
    expect(trainBpe(new Map(), 1000).merges).toHaveLength(0);
  });

  it('trains on a large vocabulary of words in little time', () => {
    // 50,000 words of 3 to 8 syllables, frequencies falling as in a language.
    const syllables = Array.from(
      { length: 80 },
      (_, i) => 'bcdfghjklmnpqrst'[i % 16]! + 'aeiou'[Math.floor(i / 16)]!,
    );
    const counts = new Map<string, number>();
    let state = 1;
    const next = (bound: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * bound);
    };
    while (counts.size < 50_000) {
      const word = Array.from({ length: 3 + next(6) }, () => syllables[next(80)]).join('');
      counts.set(` ${word}`, Math.ceil(1_000_000 / (counts.size + 1)));
    }
    const start = performance.now();
    expect(trainBpe(counts, 4096).merges).toHaveLength(4096 - 257);
    expect(performance.now() - start).toBeLessThan(15_000);
  });
});

describe('the files, in the real library', () => {
  const folder = mkdtempSync(join(tmpdir(), 'superstim-bpe-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const vocabulary: BpeVocabulary = trainBpe(countsOf(story.repeat(3)), 420);
  const encoder = new BpeEncoder(vocabulary);
  let tokenizer: PreTrainedTokenizer;

  beforeAll(async () => {
    writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizerJson(vocabulary)));
    writeFileSync(
      join(folder, 'tokenizer_config.json'),
      JSON.stringify(tokenizerConfigJson(vocabulary, 256)),
    );
    env.allowRemoteModels = false;
    env.localModelPath = dirname(folder);
    tokenizer = await AutoTokenizer.from_pretrained(basename(folder));
  });

  const bare = (text: string) => tokenizer.encode(text, { add_special_tokens: false });

  it('round-trip any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const ids = bare(text);
        // The library refuses to decode nothing.
        expect(ids.length === 0 ? '' : tokenizer.decode(ids)).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });

  it('give the ids of our own encoder', () => {
    expect(encoder.encode(story)).toEqual(bare(story));
    expect(encoder.encode(story).length).toBeLessThan(Buffer.byteLength(story) * 0.75);
    fc.assert(
      fc.property(anyText, (text) => {
        expect(encoder.encode(text)).toEqual(bare(text));
      }),
      { numRuns: 1000 },
    );
  });

  it('put <|endoftext|> before a text, as beginning and end in one', () => {
    expect([tokenizer.bos_token, tokenizer.eos_token]).toEqual(['<|endoftext|>', '<|endoftext|>']);
    expect(tokenizer.encode('Lily')).toEqual([0, ...encoder.encode('Lily')]);
    expect(bare('<|endoftext|>')).toEqual([0]);
  });

  it('know how many bytes a token stands for', () => {
    const lengths = tokenByteLengths(vocabulary);
    fc.assert(
      fc.property(anyText, (text) => {
        const bytes = encoder.encode(text).reduce((sum, id) => sum + lengths[id]!, 0);
        expect(bytes).toBe(Buffer.byteLength(text));
      }),
    );
  });

  it('are read back as they were written', () => {
    expect(vocabularyOf(JSON.parse(JSON.stringify(tokenizerJson(vocabulary))))).toEqual(vocabulary);
  });
});
