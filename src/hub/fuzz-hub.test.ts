/** @file A hub that answers with anything: a model as it should be, or one sentence. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { FakeAnswer, FakeFile, FakeHub } from '../../test/fake-hub.js';
import { fuzz } from '../../test/helpers/fuzz.js';
import { mutateBytes, mutateValue } from '../../test/helpers/mutate.js';
import { downloadTiny, jsonFile, someWeights, tinyHub, tinySettings } from '../../test/helpers/tiny-hub.js';
import type { Random } from '../core/random.js';

const scratch = mkdtempSync(join(tmpdir(), 'superstim-fuzz-hub-'));
afterAll(() => rmSync(scratch, { recursive: true }));

let hub: FakeHub;
beforeAll(async () => {
  hub = await tinyHub();
});
afterAll(() => hub.stop());

const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
const index = { metadata: {}, weight_map: { a: shards[0], b: shards[1] } };

/** Links that a hub may send: further pages here, elsewhere, of odd kinds. */
const links = (random: Random) =>
  random.pick([
    `<${hub.endpoint}/api/models/tiny-org/tiny-model/tree/x>; rel="next"`,
    `<${hub.elsewhere}/x>; rel="next"`,
    '<http://[>; rel="next"',
    '<file:///etc/passwd>; rel="next"',
    'nothing',
  ]);

const changes: readonly ((answer: FakeAnswer, random: Random) => FakeAnswer)[] = [
  (answer, random) => ({ ...answer, body: Buffer.from(mutateBytes(answer.body as Buffer, random)) }),
  (answer, random) => {
    const value = mutateValue(JSON.parse(String(answer.body)), random);
    return { ...answer, body: Buffer.from(JSON.stringify(value) ?? '') };
  },
  (answer, random) => ({ ...answer, headers: { ...answer.headers, Link: links(random) } }),
  (answer, random) => ({
    ...answer,
    status: random.pick([201, 204, 206, 304, 400, 401, 403, 404, 416, 500]),
  }),
  (answer, random) => ({
    ...answer,
    status: 302,
    headers: {
      Location: random.pick([hub.endpoint, `${hub.elsewhere}/x`, 'data:,{}', 'file:///x', 'http://[', '']),
    },
  }),
];

/** Changes one kind of answer, or the files themselves. */
function misbehave(random: Random): void {
  const files = new Map<string, FakeFile>([
    ['config.json', jsonFile({ model_type: 'llama' })],
    ['tokenizer.json', jsonFile({ version: '1.0' })],
    ['model.safetensors.index.json', jsonFile(index)],
    ...shards.map((name, i) => [name, someWeights(i)] as const),
  ]);
  const kind = random.pick(['info', 'tree', 'files'] as const);
  const change = random.pick(changes);
  hub.mischief.cuts = random.uniform() < 0.2 ? [random.integer(1000), 0] : [];
  hub.mischief.damages = random.uniform() < 0.1 ? 1 : 0;
  hub.mischief.ignoreRanges = random.uniform() < 0.3;
  hub.mischief.alter = (answer) => (answer.kind === kind ? change(answer, random) : answer);
  if (kind === 'files') files.set('model.safetensors.index.json', jsonFile(mutateValue(index, random)));
  hub.files.clear();
  for (const [name, file] of files) hub.files.set(name, file);
}

async function attempt(random: Random): Promise<void> {
  misbehave(random);
  const settings = tinySettings(hub.endpoint, scratch);
  settings.token = 'hf_secret';
  settings.patience = { attempts: 2, delay: 1, silence: 5000 };
  try {
    const { folder } = await downloadTiny(settings);
    for (const name of readdirSync(folder))
      if (!readFileSync(join(folder, name)).equals(hub.files.get(name)!.content))
        throw new Error(`${name} is wrong`);
  } finally {
    rmSync(settings.cache, { recursive: true });
  }
}

it('every answer gives the model or one sentence; the token goes nowhere else, and no file', async () => {
  const { faults, ...counts } = await fuzz(attempt, { count: 200, seed: 21 });
  expect(faults).toEqual([]);
  expect(counts.peak).toBeLessThan(1000);
  expect(hub.leakedTokens).toEqual([]);
  expect(readdirSync(scratch)).toEqual([]);
}, 120_000);
