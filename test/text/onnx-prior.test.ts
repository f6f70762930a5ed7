/** @file An ONNX export with a tokenizer of its own as the prior: a bigram model, whose probabilities are its table. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Random } from '../../src/core/random.js';
import { encodeModel, onnxTypes } from '../../src/engine/compiler/onnx-proto.js';
import { hashModel } from '../../src/hub/model-hash.js';
import { finishRun } from '../../src/runs/events.js';
import { makeFolder } from '../../src/runs/files.js';
import type { FluencyModel } from '../../src/text/fluency/fluency-model.js';
import { openFluencyModel } from '../../src/text/fluency/open-fluency.js';
import { loadTextModel } from '../../src/text/lm/model.js';
import { searchText } from '../../src/text/search/search.js';

const START = '<s>';
const characters = [START, ...'abcdefghijklmnopqrstuvwxyz ,.'];
const vocab = characters.length;
const random = new Random(4);
/** Logits of the next character after each, `[vocab, vocab]`. */
const table = Float32Array.from({ length: vocab * vocab }, () => 3 * random.uniform());

const logProb = (before: number, next: number): number => {
  const row = table.subarray(before * vocab, (before + 1) * vocab);
  return row[next]! - Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
};

function writeBigram(folder: string): void {
  const dims = (...names: string[]) => ({ dim: names.map((dimParam) => ({ dimParam })) });
  const info = (name: string, elemType: number, ...names: string[]) => ({
    name,
    type: { tensorType: { elemType, shape: dims(...names) } },
  });
  const graph = {
    name: 'bigram',
    node: [{ opType: 'Gather', input: ['table', 'input_ids'], output: ['logits'] }],
    initializer: [
      {
        name: 'table',
        dims: [vocab, vocab],
        dataType: onnxTypes.float,
        rawData: new Uint8Array(table.buffer),
      },
    ],
    input: [
      info('input_ids', onnxTypes.int64, 'batch', 'sequence'),
      info('attention_mask', onnxTypes.int64, 'batch', 'sequence'),
    ],
    output: [info('logits', onnxTypes.float, 'batch', 'sequence', 'vocab')],
  };
  const json = (name: string, value: unknown) => writeFileSync(join(folder, name), JSON.stringify(value));
  json('config.json', {
    model_type: 'gpt2',
    architectures: ['GPT2LMHeadModel'],
    vocab_size: vocab,
    n_layer: 1,
    n_head: 1,
    n_embd: 4,
    num_hidden_layers: 1,
    bos_token_id: 0,
    eos_token_id: 0,
  });
  json('tokenizer_config.json', { tokenizer_class: 'GPT2Tokenizer', bos_token: START, eos_token: START });
  json('tokenizer.json', {
    version: '1.0',
    truncation: null,
    padding: null,
    normalizer: null,
    post_processor: null,
    added_tokens: [
      {
        id: 0,
        content: START,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      },
    ],
    pre_tokenizer: null,
    decoder: { type: 'Fuse' },
    model: { type: 'BPE', vocab: Object.fromEntries(characters.map((c, id) => [c, id])), merges: [] },
  });
  makeFolder(join(folder, 'onnx'));
  const model = { irVersion: 8, opsetImport: [{ domain: '', version: 17 }], graph };
  writeFileSync(join(folder, 'onnx', 'model.onnx'), encodeModel(model));
}

let folder: string;
let prior: FluencyModel;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'superstim-onnx-prior-'));
  writeBigram(folder);
  prior = await openFluencyModel(folder, 'onnx');
});
afterAll(async () => {
  await prior?.dispose();
  rmSync(folder, { recursive: true });
});

const exact = (text: string): number => {
  const ids = [0, ...[...text].map((c) => characters.indexOf(c))];
  const total = ids.slice(1).reduce((sum, id, i) => sum + logProb(ids[i]!, id), 0);
  return -total / (ids.length - 1);
};

test('counts the cross entropy of texts in its own tokens, whatever their lengths', async () => {
  const texts = ['a', 'the quick brown fox.', 'zz', 'to be, or not to be'];
  const found = await prior.crossEntropy(texts);
  for (const [i, text] of texts.entries()) expect(found[i]).toBeCloseTo(exact(text), 5);
});

test('draws texts as often as it should, the same for the same seed', async () => {
  const texts = await prior.sample(1024, 2, new Random(1));
  expect(await prior.sample(1024, 2, new Random(1))).toEqual(texts);
  const total = 1 - Math.exp(logProb(0, 0)); // the start token is never drawn
  for (const [id, character] of characters.entries()) {
    if (id === 0) continue;
    const p = Math.exp(logProb(0, id)) / total;
    const seen = texts.filter((text) => text.startsWith(character)).length;
    expect(Math.abs(seen - 1024 * p), character).toBeLessThan(4.5 * Math.sqrt(1024 * p * (1 - p)) + 1);
  }
});

test('is what a search calls fluent, while the reward stays that of the subject', async () => {
  const model = await loadTextModel('models/books-lm');
  const { frontier } = await finishRun(
    searchText({
      model,
      modelHash: await hashModel('models/books-lm'),
      unit: 'L1.H3',
      method: 'auto',
      seed: 0,
      engine: 'onnx',
      measure: 'delta',
      at: 'max',
      reference: 'layer',
      length: 4,
      fluency: prior,
      budget: { evaluations: 600 },
      baseline: false,
      finalists: 0,
    }),
  );
  const known = frontier.filter(({ text }) => [...text].every((c) => characters.includes(c)));
  expect(known.length).toBeGreaterThan(0);
  for (const { text, cross_entropy } of known) expect(cross_entropy).toBeCloseTo(exact(text), 4);
});
