import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { UserError } from '../../core/errors.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import { writeSafetensors } from '../../engine/weights/safetensors.js';
import type { WeightArray } from '../../engine/weights/weights.js';
import { embeddedFolder } from '../../hub/embedded.js';
import { parseConfig } from './config.js';
import { loadTextModel, openTextWeights } from './model.js';
import { parameterShapes } from './parameters.js';

const root = mkdtempSync(join(tmpdir(), 'model-'));
afterAll(() => rmSync(root, { recursive: true }));

const config = { model_type: 'gpt2', n_layer: 2, n_embd: 6, n_head: 2, vocab_size: 11, n_positions: 9 };
const arrays = [...parameterShapes(parseConfig(config, 'config.json'))].map(
  ([name, shape], i): [string, WeightArray] => [
    name,
    { shape, data: new Float32Array(sizeOf(shape)).fill(i) },
  ],
);

let folder: string;
beforeEach(() => {
  folder = join(root, `${Math.random()}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  writeSafetensors(join(folder, 'model.safetensors'), arrays);
});

function complaint(): string {
  try {
    openTextWeights(folder);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return (error as UserError).message;
  }
  throw new Error('nothing was thrown');
}

/** Two shards with an index, in place of the one file. */
function split(): void {
  unlinkSync(join(folder, 'model.safetensors'));
  const shard = (i: number) => `model-0000${1 + (i % 2)}-of-00002.safetensors`;
  for (const which of [0, 1])
    writeSafetensors(
      join(folder, shard(which)),
      arrays.filter((_, i) => i % 2 === which),
    );
  const weight_map = Object.fromEntries(arrays.map(([name], i) => [name, shard(i)]));
  writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map }));
}

describe('openTextWeights', () => {
  it('opens one file, or shards, alike', () => {
    const whole = openTextWeights(folder);
    const read = new Map(arrays.map(([name]) => [name, whole.weights.read(name)]));
    split();
    const sharded = openTextWeights(folder);
    expect(sharded.spec).toEqual(whole.spec);
    expect(sharded.weights.names).toEqual(arrays.map(([name]) => name));
    for (const [name, { data }] of arrays) {
      expect(read.get(name)).toEqual(data);
      expect(sharded.weights.read(name)).toEqual(data);
    }
  });

  it('says what is missing', () => {
    const missing = (file: string, message: RegExp) => {
      unlinkSync(join(folder, file));
      expect(complaint()).toMatch(message);
    };
    split();
    missing(
      'model-00002-of-00002.safetensors',
      /names the shard "model-00002-of-00002.safetensors", which is/,
    );
    missing('model.safetensors.index.json', /has no model.safetensors and no model.safetensors.index.json/);
    missing('config.json', /has no readable config.json: give the folder/);
    rmSync(folder, { recursive: true });
    expect(complaint()).toMatch(/^there is no model folder /);
  });

  it('says what is damaged', () => {
    const path = join(folder, 'model.safetensors');
    truncateSync(path, readFileSync(path).length - 4);
    expect(complaint()).toMatch(/model.safetensors is cut short/);
    writeFileSync(join(folder, 'config.json'), '{');
    expect(complaint()).toMatch(/config.json is not valid JSON/);
  });

  it('says where config and weights disagree', () => {
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, n_layer: 3 }));
    expect(complaint()).toMatch(/there is no "transformer.h.2.ln_1.weight" of shape \[6\]/);
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, n_inner: 7 }));
    expect(complaint()).toMatch(
      /"transformer.h.0.mlp.c_fc.weight" should be of shape \[6, 7\] but is \[6, 24\]/,
    );
  });
});

describe('loadTextModel', () => {
  it('says whose BOS token is used where that of config.json is beyond the vocabulary', async () => {
    const model = join(embeddedFolder, 'books-lm');
    for (const file of ['model.safetensors', 'tokenizer.json', 'tokenizer_config.json'])
      copyFileSync(join(model, file), join(folder, file));
    const own = JSON.parse(readFileSync(join(model, 'config.json'), 'utf8'));
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...own, bos_token_id: 50256 }));
    const { notes, tokenizer } = await loadTextModel(folder);
    expect(tokenizer.bos).toBe(own.bos_token_id);
    expect(notes).toEqual([
      expect.stringMatching(
        /^config.json names the BOS token 50256, but the vocabulary has 4096: the tokenizer's/,
      ),
    ]);
  });

  it('needs a tokenizer', async () => {
    await expect(loadTextModel(folder)).rejects.toThrow(/has no tokenizer.json/);
  });
});
