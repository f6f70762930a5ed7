/** @file A tokenizer of made-up words, for models with random weights: as many tokens as a vocabulary needs. */

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** Names of the tokenizer's files, and what they hold. */
export const tokenizerFiles = (vocab: number): Record<string, object> => ({
  'tokenizer.json': tokenizer(vocab),
  'tokenizer_config.json': {
    tokenizer_class: 'PreTrainedTokenizer',
    bos_token: '<s>',
    unk_token: '<s>',
  },
});

/** Words of four letters, one token each; token 0 is BOS. At most 26^4 = 456,976. */
function tokenizer(vocab: number): object {
  const word = (i: number) =>
    `▁${[17576, 676, 26, 1].map((place) => LETTERS[Math.floor(i / place) % 26]).join('')}`;
  const words = Array.from({ length: vocab - 1 }, (_, i): [string, number] => [word(i), -10]);
  const metaspace = { type: 'Metaspace', replacement: '▁', add_prefix_space: true, prepend_scheme: 'always' };
  return {
    version: '1.0',
    added_tokens: [{ id: 0, content: '<s>', special: true, normalized: false }],
    normalizer: null,
    pre_tokenizer: metaspace,
    post_processor: null,
    decoder: metaspace,
    model: { type: 'Unigram', unk_id: 0, vocab: [['<s>', 0], ...words] },
  };
}
