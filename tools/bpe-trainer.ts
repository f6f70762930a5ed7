/**
 * @file Byte-level byte-pair encoding, trained here: count words, learn merges, encode, write `tokenizer.json`.
 *
 * Source: Sennrich et al. 2016 (arXiv 1508.07909) over bytes, with the word pattern of GPT-2.
 */

/** GPT-2's words: a leading space belongs to the word that follows. */
const wordPattern = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** Adds a text's words to `counts`. Texts must be cut where words are cut: at documents. */
export function countWords(text: string, counts: Map<string, number>): void {
  for (const word of text.match(wordPattern) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
}

/** What training finds. Ids: the special tokens, then 256 bytes, then one id a merge, in order. */
export interface BpeVocabulary {
  readonly specialTokens: readonly string[];
  /** Pairs of ids, most valuable first. */
  readonly merges: readonly (readonly [number, number])[];
}

/**
 * Learns merges until the vocabulary has `size` entries, or no pair is left. Deterministic: of equally
 * frequent pairs the one with the smaller ids goes first, whatever the order of `counts`.
 */
export function trainBpe(
  counts: ReadonlyMap<string, number>,
  size: number,
  specialTokens: readonly string[] = ['<|endoftext|>'],
): BpeVocabulary {
  const firstByte = specialTokens.length;
  const encoder = new TextEncoder();
  const words: (readonly number[])[] = [];
  const frequency: number[] = [];
  for (const [word, count] of counts) {
    words.push(Array.from(encoder.encode(word), (byte) => firstByte + byte));
    frequency.push(count);
  }
  const pairs = new PairCounts();
  for (const [w, word] of words.entries()) {
    for (let i = 0; i + 1 < word.length; i++) pairs.add(word[i]!, word[i + 1]!, frequency[w]!, w);
  }
  const merges: [number, number][] = [];
  for (let id = firstByte + 256; id < size; id++) {
    const best = pairs.mostFrequent();
    if (!best) break;
    merges.push([best.left, best.right]);
    for (const w of best.words) words[w] = mergeAndCount(words[w]!, best, id, pairs, frequency[w]!, w);
  }
  return { specialTokens, merges };
}

/** `mergePair` that keeps the counts: only the pairs beside a merge change. Word `w` occurs `count` times. */
function mergeAndCount(
  word: readonly number[],
  { left, right }: Pair,
  id: number,
  pairs: PairCounts,
  count: number,
  w: number,
): readonly number[] {
  if (!hasPair(word, left, right)) return word;
  const merged: number[] = [];
  for (let i = 0; i < word.length; i++) {
    if (word[i] !== left || word[i + 1] !== right) {
      merged.push(word[i]!);
      continue;
    }
    const [previous, next] = [merged.at(-1), word[i + 2]];
    pairs.add(left, right, -count, w);
    if (previous !== undefined) {
      pairs.add(previous, left, -count, w);
      pairs.add(previous, id, count, w);
    }
    if (next !== undefined) {
      pairs.add(right, next, -count, w);
      pairs.add(id, next, count, w);
    }
    merged.push(id);
    i++;
  }
  return merged;
}

function hasPair(word: readonly number[], left: number, right: number): boolean {
  for (let i = 0; i + 1 < word.length; i++) if (word[i] === left && word[i + 1] === right) return true;
  return false;
}

/** Replaces every `left right` by `id`, from left to right. */
function mergePair(word: readonly number[], left: number, right: number, id: number): number[] {
  const merged: number[] = [];
  for (let i = 0; i < word.length; i++) {
    const hit = word[i] === left && word[i + 1] === right;
    merged.push(hit ? id : word[i]!);
    if (hit) i++;
  }
  return merged;
}

interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  /** Words that have or had the pair. */
  readonly words: Set<number>;
}

/** The pair of two ids as one key of a Map. */
const pairKey = (left: number, right: number) => left * 2 ** 20 + right;

/** Counts of pairs, and a heap of them whose entries are brought up to date when they surface. */
class PairCounts {
  private readonly pairs = new Map<number, Pair>();
  private readonly heap: { readonly pair: Pair; readonly count: number }[] = [];
  private readonly changed = new Set<Pair>();

  /** Counts a pair of word `w` `count` times; below zero takes them back. */
  add(left: number, right: number, count: number, w: number): void {
    const key = pairKey(left, right);
    let pair = this.pairs.get(key);
    if (!pair) {
      pair = { left, right, count: 0, words: new Set() };
      this.pairs.set(key, pair);
    }
    pair.count += count;
    if (count < 0) return;
    pair.words.add(w);
    this.changed.add(pair);
  }

  mostFrequent(): Pair | undefined {
    for (const pair of this.changed) this.push({ pair, count: pair.count });
    this.changed.clear();
    for (let top = this.pop(); top; top = this.pop()) {
      const { pair, count } = top;
      if (pair.count === count && count > 0) return pair;
      // One that grew has a later entry; one that shrank goes back with what is left.
      if (pair.count > 0 && pair.count < count) this.push({ pair, count: pair.count });
    }
    return undefined;
  }

  private before(i: number, j: number): boolean {
    const [a, b] = [this.heap[i]!, this.heap[j]!];
    if (a.count !== b.count) return a.count > b.count;
    return a.pair.left !== b.pair.left ? a.pair.left < b.pair.left : a.pair.right < b.pair.right;
  }

  private swap(i: number, j: number): void {
    const kept = this.heap[i]!;
    this.heap[i] = this.heap[j]!;
    this.heap[j] = kept;
  }

  private push(entry: { pair: Pair; count: number }): void {
    this.heap.push(entry);
    for (let i = this.heap.length - 1; i > 0; ) {
      const parent = (i - 1) >> 1;
      if (!this.before(i, parent)) return;
      this.swap(i, parent);
      i = parent;
    }
  }

  private pop(): { pair: Pair; count: number } | undefined {
    const top = this.heap[0];
    const last = this.heap.pop();
    if (this.heap.length === 0) return top;
    this.heap[0] = last!;
    for (let i = 0; ; ) {
      const [left, right] = [2 * i + 1, 2 * i + 2];
      let first = i;
      if (left < this.heap.length && this.before(left, first)) first = left;
      if (right < this.heap.length && this.before(right, first)) first = right;
      if (first === i) return top;
      this.swap(i, first);
      i = first;
    }
  }
}

/** Encodes with a vocabulary just trained; each word is worked out once. For corpora: plain text, no specials. */
export class BpeEncoder {
  private readonly ranks = new Map<number, number>();
  private readonly cache = new Map<string, readonly number[]>();
  private readonly utf8 = new TextEncoder();

  constructor(private readonly vocabulary: BpeVocabulary) {
    for (const [rank, [left, right]] of vocabulary.merges.entries())
      this.ranks.set(pairKey(left, right), rank);
  }

  encode(text: string): number[] {
    const ids: number[] = [];
    for (const word of text.match(wordPattern) ?? []) {
      let encoded = this.cache.get(word);
      if (!encoded) {
        encoded = this.encodeWord(word);
        this.cache.set(word, encoded);
      }
      for (const id of encoded) ids.push(id);
    }
    return ids;
  }

  private encodeWord(word: string): number[] {
    const firstByte = this.vocabulary.specialTokens.length;
    let symbols = Array.from(this.utf8.encode(word), (byte) => firstByte + byte);
    for (;;) {
      let best = Number.POSITIVE_INFINITY;
      for (let i = 0; i + 1 < symbols.length; i++)
        best = Math.min(best, this.ranks.get(pairKey(symbols[i]!, symbols[i + 1]!)) ?? best);
      if (best === Number.POSITIVE_INFINITY) return symbols;
      const [left, right] = this.vocabulary.merges[best]!;
      symbols = mergePair(symbols, left, right, firstByte + 256 + best);
    }
  }
}

/** GPT-2's printable character for each byte; what `tokenizer.json` spells its entries with. */
function byteCharacters(): string[] {
  const printable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}

/** Number of bytes that each id stands for; 0 for special tokens. */
export function tokenByteLengths({ specialTokens, merges }: BpeVocabulary): number[] {
  const lengths = [...specialTokens.map(() => 0), ...Array<number>(256).fill(1)];
  for (const [left, right] of merges) lengths.push(lengths[left]! + lengths[right]!);
  return lengths;
}

/** The vocabulary as the contents of a Hugging Face `tokenizer.json`; the first special token is put before a text. */
export function tokenizerJson({ specialTokens, merges }: BpeVocabulary): object {
  const spellings = [...specialTokens, ...byteCharacters()];
  for (const [left, right] of merges) spellings.push(spellings[left]! + spellings[right]!);
  const bos = specialTokens[0]!;
  const template = [{ SpecialToken: { id: bos, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialTokens.map((content, id) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: {
      type: 'TemplateProcessing',
      single: template,
      pair: [...template, { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: { [bos]: { id: bos, ids: [0], tokens: [bos] } },
    },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries(spellings.map((spelling, id) => [spelling, id])),
      merges: merges.map(([left, right]) => [spellings[left], spellings[right]]),
    },
  };
}

/** The vocabulary that `tokenizerJson()` wrote. */
export function vocabularyOf(json: ReturnType<typeof tokenizerJson>): BpeVocabulary {
  const { added_tokens, model } = json as {
    added_tokens: { content: string }[];
    model: { vocab: Record<string, number>; merges: [string, string][] };
  };
  return {
    specialTokens: added_tokens.map(({ content }) => content),
    merges: model.merges.map(([left, right]) => [model.vocab[left]!, model.vocab[right]!]),
  };
}

/** Contents of `tokenizer_config.json` beside it. @param contextLength - the model's longest sequence, in tokens */
export function tokenizerConfigJson({ specialTokens }: BpeVocabulary, contextLength: number): object {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: specialTokens[0],
    eos_token: specialTokens[0],
    model_max_length: contextLength,
    clean_up_tokenization_spaces: false,
  };
}
