/** @file Tokenizers of every kind, small enough to be written down, and folders of random models that have them. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafetensors } from '../../src/engine/weights/safetensors.js';
import { randomModel } from './random-model.js';

/** A tokenizer.json. */
export interface TokenizerJson {
  readonly added_tokens?: readonly {
    readonly id: number;
    readonly content: string;
    readonly special: boolean;
  }[];
  readonly model: { readonly vocab: object; readonly [part: string]: unknown };
  readonly [part: string]: unknown;
}

const numbered = (tokens: readonly string[]) => Object.fromEntries(tokens.map((token, id) => [token, id]));

/** GPT-2's letters for bytes: printable ones stand for themselves, the others follow from U+0100. */
function byteLetters(): string[] {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
}

/** Like GPT-2's: 256 bytes, what merges make, special tokens last. Adds no BOS. */
export function byteLevel(
  special: readonly string[] = ['<|endoftext|>'],
  merges: readonly string[] = ['Ġ t', 'h e', 'Ġt he', 'i n', 'q q'],
): TokenizerJson {
  const tokens = [...byteLetters(), ...merges.map((merge) => merge.replace(' ', '')), ...special];
  const first = tokens.length - special.length;
  return {
    version: '1.0',
    added_tokens: special.map((content, i) => ({ id: first + i, content, special: true })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false },
    post_processor: { type: 'ByteLevel' },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: numbered(tokens), merges },
  };
}

/** One token a character, as of digits, DNA and chess moves. */
export const wordLevel = (words: readonly string[], more: object = {}): TokenizerJson => ({
  version: '1.0',
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'Split', pattern: { String: '' }, behavior: 'Isolated', invert: false },
  post_processor: null,
  decoder: { type: 'Fuse' },
  model: { type: 'WordLevel', vocab: numbered(words) },
  ...more,
});

const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };

/** Like T5's: pieces by their log-probability, a space in front of words. */
export const unigram = (pieces: readonly string[]): TokenizerJson => ({
  version: '1.0',
  added_tokens: [
    { id: 0, content: '<s>', special: true },
    { id: 1, content: '<unk>', special: true },
  ],
  normalizer: null,
  pre_tokenizer: metaspace,
  post_processor: null,
  decoder: metaspace,
  model: {
    type: 'Unigram',
    unk_id: 1,
    vocab: ['<s>', '<unk>', ...pieces].map((piece, i) => [piece, -i / 10]),
  },
});

/** Like Llama 2's: merges, a space in front of words, bytes for what has no token. */
export function metaspaceBpe(merges: readonly string[]): TokenizerJson {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const letters = [...new Set(merges.flatMap((merge) => [...merge.replace(' ', '')]))];
  const tokens = ['<unk>', '<s>', ...bytes, ...letters, ...merges.map((merge) => merge.replace(' ', ''))];
  return {
    version: '1.0',
    added_tokens: [
      { id: 0, content: '<unk>', special: true },
      { id: 1, content: '<s>', special: true },
    ],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: { type: 'BPE', unk_token: '<unk>', byte_fallback: true, vocab: numbered(tokens), merges },
  };
}

/** Like BERT's: words, and `##` before what continues one. */
export const wordPiece = (tokens: readonly string[]): TokenizerJson => ({
  version: '1.0',
  added_tokens: [
    { id: 0, content: '[CLS]', special: true },
    { id: 1, content: '[UNK]', special: true },
  ],
  normalizer: { type: 'BertNormalizer', clean_text: true, lowercase: true, strip_accents: null },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: null,
  decoder: { type: 'WordPiece', prefix: '##', cleanup: false },
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: numbered(['[CLS]', '[UNK]', ...tokens]),
  },
});

/** How Qwen and others write a conversation. */
export const chatMl = {
  special: ['<|endoftext|>', '<|im_start|>', '<|im_end|>'],
  template:
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
};

/** A model folder: a Llama of random weights that has as many tokens as its tokenizer. */
export function tinyModel(
  parent: string,
  tokenizer: TokenizerJson,
  tokenizerConfig: object = {},
  config: object = {},
): string {
  const folder = mkdtempSync(join(parent, 'model-'));
  const { vocab } = tokenizer.model;
  const whole = {
    model_type: 'llama',
    vocab_size: Array.isArray(vocab) ? vocab.length : Object.keys(vocab).length,
    max_position_embeddings: 40,
    hidden_size: 12,
    intermediate_size: 10,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    head_dim: 6,
    ...config,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(whole));
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig));
  writeSafetensors(join(folder, 'model.safetensors'), randomModel(whole, 2).arrays);
  return folder;
}
