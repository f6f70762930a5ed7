/** A folder with a model of GPT-2 small's size and random weights, and a tokenizer of made-up words: good for timing. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/core/random.js';
import { sizeOf } from '../../src/engine/tensor-spec.js';
import { writeSafetensors } from '../../src/engine/weights/safetensors.js';
import type { WeightArray } from '../../src/engine/weights/weights.js';
import { parseConfig } from '../../src/text/lm/config.js';
import { loadTextModel, type TextModel } from '../../src/text/lm/model.js';
import { parameterShapes } from '../../src/text/lm/parameters.js';

const VOCAB = 50257;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

const config = {
  ...{ architectures: ['GPT2LMHeadModel'], model_type: 'gpt2', n_layer: 12, n_head: 12, n_embd: 768 },
  ...{ vocab_size: VOCAB, n_positions: 1024, bos_token_id: 0, eos_token_id: 0 },
};

/** Such a model in a folder that goes when the program ends, and a text to calibrate it on. */
export async function randomGpt2(): Promise<{ folder: string; model: TextModel; corpus: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'superstim-gpt2-'));
  process.on('exit', () => rmSync(folder, { recursive: true }));
  writeRandomGpt2(folder);
  const model = await loadTextModel(folder);
  const corpus = join(folder, 'calibration.txt');
  const ids = Array.from({ length: 2000 }, (_, i) => 1 + ((i * 7919) % 50000));
  writeFileSync(corpus, model.tokenizer.decode(ids));
  return { folder, model, corpus };
}

function writeRandomGpt2(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const random = new Random(0);
  const arrays = [...parameterShapes(parseConfig(config, folder))].map(
    ([name, shape]): [string, WeightArray] => {
      const norm = /ln_\w+\.weight$/.test(name);
      const data = random.normals(sizeOf(shape)).map((x) => (norm ? 1 : 0) + (norm ? 0 : 0.02 * x));
      return [name, { shape, data }];
    },
  );
  writeSafetensors(join(folder, 'model.safetensors'), arrays);
  const json = (name: string, content: object) => writeFileSync(join(folder, name), JSON.stringify(content));
  json('config.json', config);
  json('tokenizer.json', tokenizer());
  json('tokenizer_config.json', {
    tokenizer_class: 'PreTrainedTokenizer',
    bos_token: '<s>',
    unk_token: '<s>',
  });
}

/** Words of four letters, one token each. */
function tokenizer(): object {
  const word = (i: number) =>
    `▁${[17576, 676, 26, 1].map((place) => LETTERS[Math.floor(i / place) % 26]).join('')}`;
  const words = Array.from({ length: VOCAB - 1 }, (_, i): [string, number] => [word(i), -10]);
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
