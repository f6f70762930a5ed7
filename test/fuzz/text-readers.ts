/** @file The readers of language models on damaged files: what each attempt writes, reads and checks. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import '@tensorflow/tfjs-backend-cpu';
import type { Random } from '../../src/core/random.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import { sizeOf } from '../../src/engine/tensor-spec.js';
import { openNpz } from '../../src/engine/weights/npz.js';
import { openSafetensorsFolder, writeSafetensors } from '../../src/engine/weights/safetensors.js';
import { openTorchFile } from '../../src/engine/weights/torch-file.js';
import type { WeightSource } from '../../src/engine/weights/weights.js';
import { firstLora, loraLayout } from '../../src/rl/lora.js';
import { readPeft, writePeft } from '../../src/rl/peft.js';
import { openTextWeights, type TextWeights } from '../../src/text/lm/model.js';
import { loadTokenizer, type Tokenizer } from '../../src/text/lm/tokenizer.js';
import { forward } from '../../src/text/lm/transformer.js';
import { npzFile, oldTorchFile, torchFile } from '../helpers/array-files.js';
import type { Attempt } from '../helpers/fuzz.js';
import { mutateBytes, mutateValue } from '../helpers/mutate.js';
import { randomModel, tinyConfigs } from '../helpers/random-model.js';
import { fixtureSources } from '../helpers/transformer-fixtures.js';

const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

/** JSON, or its bytes, with faults. */
const damagedJson = (value: unknown, random: Random): Uint8Array =>
  random.uniform() < 0.8 ? bytesOf(mutateValue(value, random)) : mutateBytes(bytesOf(value), random);

/** A safetensors file with faults in its header, or anywhere. */
function damagedArrays(file: Uint8Array, random: Random): Uint8Array {
  if (random.uniform() < 0.3) return mutateBytes(file, random);
  const end = 8 + Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = bytesOf(mutateValue(JSON.parse(Buffer.from(file.subarray(8, end)).toString()), random));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  return Buffer.concat([length, header, file.subarray(end)]);
}

function readAll(source: WeightSource): void {
  for (const name of source.names) {
    const [shape, data] = [source.shape(name), source.read(name)];
    if (data.length !== sizeOf(shape)) throw new Error(`${name}: ${data.length} elements, shape [${shape}]`);
  }
}

/** Reads three tokens: the logits must be as many as the vocabulary. */
function compute({ spec, weights }: TextWeights): void {
  if (spec.context < 3) return;
  tf.tidy(() => {
    const lookup = (name: string) => tf.tensor(weights.read(name), [...weights.shape(name)], 'float32');
    const ids = tf.tensor([[0, 1, 2].map((id) => id % spec.vocab)], [1, 3], 'int32');
    const { shape } = forward(spec, lookup, { ids }).at('logits');
    if (`${shape}` !== `1,3,${spec.vocab}`) throw new Error(`logits of shape [${shape}]`);
  });
}

/** A tiny network of any family, its config.json with faults. */
function config(folder: string): Attempt {
  const fixtures = fixtureSources[0]![1];
  return async (random) => {
    await tf.setBackend('cpu');
    const { folder: from } = random.pick(fixtures);
    copyFileSync(join(from, 'model.safetensors'), join(folder, 'model.safetensors'));
    const json: unknown = JSON.parse(readFileSync(join(from, 'config.json'), 'utf8'));
    writeFileSync(join(folder, 'config.json'), damagedJson(json, random));
    compute(openTextWeights(folder));
  };
}

/** Weights in one file, or two shards with an index. */
function arrays(folder: string): Attempt {
  const [single, sharded] = [join(folder, 'single'), join(folder, 'sharded')];
  for (const place of [single, sharded]) mkdirSync(place, { recursive: true });
  const array = (...shape: number[]) => ({ shape, data: new Float32Array(sizeOf(shape)).fill(1) });
  writeSafetensors(
    join(folder, 'a'),
    [
      ['one', array(2, 3)],
      ['two', array(4)],
    ],
    { metadata: { format: 'pt' } },
  );
  writeSafetensors(join(folder, 'b'), [['three', array(3, 1)]], { dtype: 'F16' });
  const [a, b] = ['a', 'b'].map((name) => new Uint8Array(readFileSync(join(folder, name))));
  const index = {
    metadata: { total_size: 52 },
    weight_map: { one: 'a.safetensors', two: 'a.safetensors', three: 'b.safetensors' },
  };
  return (random) => {
    if (random.uniform() < 0.5) {
      writeFileSync(join(single, 'model.safetensors'), damagedArrays(a!, random));
      return readAll(openSafetensorsFolder(single));
    }
    writeFileSync(join(sharded, 'a.safetensors'), a!);
    writeFileSync(join(sharded, 'b.safetensors'), random.uniform() < 0.3 ? damagedArrays(b!, random) : b!);
    writeFileSync(join(sharded, 'model.safetensors.index.json'), damagedJson(index, random));
    return readAll(openSafetensorsFolder(sharded));
  };
}

/** `.npz` and `.pt` files, plain or packed. */
function archives(folder: string): Attempt {
  const array = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const files = [false, true].flatMap((packed) => [
    { path: join(folder, 'a.npz'), open: openNpz, bytes: npzFile({ one: array, two: array }, { packed }) },
    {
      path: join(folder, 'a.pt'),
      open: openTorchFile,
      bytes: torchFile({ one: array }, { k: 6 }, { packed }),
    },
    { path: join(folder, 'b.pt'), open: openTorchFile, bytes: oldTorchFile({ one: array }, { k: 6 }) },
  ]);
  return (random) => {
    const { path, open, bytes } = random.pick(files);
    // A slice of a Buffer would be the same bytes.
    writeFileSync(path, mutateBytes(new Uint8Array(bytes), random));
    return readAll(open(path));
  };
}

function peft(folder: string): Attempt {
  const { spec } = randomModel(tinyConfigs.llama);
  writePeft(
    folder,
    firstLora(loraLayout(spec, { rank: 2, alpha: 6, targets: ['q_proj', 'down_proj'] }), 1),
    'base',
  );
  const [configFile, arraysFile] = ['adapter_config.json', 'adapter_model.safetensors'].map((name) =>
    join(folder, name),
  );
  const written = {
    ...(JSON.parse(readFileSync(configFile!, 'utf8')) as object),
    rank_pattern: { q_proj: 2 },
    alpha_pattern: { 'layers.1.mlp.down_proj': 3 },
  };
  const file = new Uint8Array(readFileSync(arraysFile!));
  return (random) => {
    const where = random.integer(3);
    writeFileSync(configFile!, where < 2 ? damagedJson(written, random) : bytesOf(written));
    writeFileSync(arraysFile!, where > 0 ? damagedArrays(file, random) : file);
    for (const [name, { shape, data }] of readPeft(folder, spec).arrays)
      if (data.length !== sizeOf(shape)) throw new Error(`${name} of shape [${shape}]`);
  };
}

/** What a search asks of a tokenizer: ids are those of the model, and texts are texts. */
function use(tokenizer: Tokenizer): void {
  for (const text of ['hello, world', '10', 'ab\n é']) {
    const ids = tokenizer.encode(text);
    const wrong = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < tokenizer.vocab));
    if (wrong !== undefined) throw new Error(`"${text}" has the token ${wrong}`);
    if (typeof tokenizer.decode(ids) !== 'string') throw new Error('decoding gives no text');
  }
  tokenizer.tokenId(tokenizer.tokenString(3));
  tokenizer.excludedTokens();
}

function tokenizer(folder: string): Attempt {
  const shipped = fileURLToPath(new URL('../../models/books-lm/tokenizer.json', import.meta.url));
  const full = JSON.parse(readFileSync(shipped, 'utf8'));
  const vocabulary = Object.entries<number>(full.model.vocab).filter(([, id]) => id < 300);
  const known = new Set(vocabulary.map(([token]) => token));
  const merges = (full.model.merges as (string | string[])[]).filter((merge) =>
    known.has((typeof merge === 'string' ? merge.split(' ') : merge).join('')),
  );
  const bytePairs = { ...full, model: { ...full.model, vocab: Object.fromEntries(vocabulary), merges } };
  const letters = [...'abcdefghijklmnopqrstuvwxyz ,10'];
  const unigram = {
    version: '1.0',
    added_tokens: [
      { id: 0, content: '<unk>', special: true },
      { id: 40, content: '<pad>', special: true },
    ],
    normalizer: {
      type: 'Sequence',
      normalizers: [{ type: 'NFKC' }, { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' }],
    },
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: false },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: {},
    },
    decoder: {
      type: 'Sequence',
      decoders: [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'Fuse' }],
    },
    model: {
      type: 'Unigram',
      unk_id: 0,
      vocab: [['<unk>', 0], ...letters.map((letter) => [letter.replace(' ', '▁'), -2])],
    },
  };
  const settings = {
    bos_token: '<unk>',
    eos_token: { content: '<unk>' },
    clean_up_tokenization_spaces: false,
  };
  return async (random) => {
    const where = random.integer(10);
    const json = random.pick([bytePairs, unigram]);
    writeFileSync(join(folder, 'tokenizer.json'), where < 9 ? damagedJson(json, random) : bytesOf(json));
    writeFileSync(
      join(folder, 'tokenizer_config.json'),
      where > 7 ? damagedJson(settings, random) : bytesOf(settings),
    );
    use(await loadTokenizer(folder, { vocab: 300, bos: random.pick([null, 0, 50256]) }));
  };
}

/** By reader; each attempt overwrites the last one's files in `place`. */
export function textAttempts(place: string): Record<string, Attempt> {
  const attempts = { config, arrays, archives, peft, tokenizer };
  return Object.fromEntries(
    Object.entries(attempts).map(([name, attempt]) => {
      const folder = join(place, name);
      mkdirSync(folder, { recursive: true });
      return [name, attempt(folder)];
    }),
  );
}
