/** @file Dictionaries in a repository of the hub: what is downloaded, what is kept, and what is refused. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { embeddedFolder } from '../../src/hub/embedded.js';
import { openModel } from '../../src/index.js';
import { FakeHub } from '../fake-hub.js';
import { npzFile } from '../helpers/array-files.js';
import { jsonFile, tinyCommit } from '../helpers/tiny-hub.js';

const scratch = mkdtempSync(join(tmpdir(), 'hub-dictionaries-'));
const width = 192;
const size = 6;
const repo = 'google/gemma-scope-2b-pt-res';
const array = (...shape: number[]) => ({
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
});
const params = npzFile({
  W_enc: array(width, size),
  W_dec: array(size, width),
  b_enc: array(size),
  b_dec: array(width),
  threshold: array(size),
});
const saelens = jsonFile({ d_in: width, d_sae: size, hook_point: 'blocks.1.hook_resid_pre' });
const content = { content: params, lfs: true };

let hub: FakeHub;
let before: NodeJS.ProcessEnv;

beforeAll(() => {
  const local = join(scratch, 'gemma-scope-2b-pt-res/layer_1/params.npz');
  mkdirSync(dirname(local), { recursive: true });
  writeFileSync(local, params);
});
afterAll(() => rmSync(scratch, { recursive: true }));

beforeEach(async () => {
  before = { ...process.env };
  hub = await new FakeHub(
    repo,
    new Map(
      Object.entries({
        'README.md': jsonFile('read me'),
        'cfg.json': saelens,
        'layer_1/width_6/average_l0_2/params.npz': content,
        'layer_1/width_6/average_l0_2/picture.png': jsonFile('no weights'),
        'layer_1/width_6/average_l0_3/params.npz': content,
        'layer_1/width_16k/average_l0_102/params.npz': content,
        'scope/hyperparams.json': saelens,
        'scope/checkpoints/a.npz': content,
        'scope/checkpoints/b.npz': { content: params, lfs: false },
      }),
    ),
    new Map([['main', tinyCommit]]),
  ).start();
  Object.assign(process.env, {
    HF_ENDPOINT: hub.endpoint,
    HF_HUB_CACHE: mkdtempSync(join(scratch, 'cache-')),
    NO_PROXY: '127.0.0.1',
  });
});
afterEach(async () => {
  process.env = before;
  await hub.stop();
});

const raw = async (unit: string) => {
  const model = await openModel('books-lm');
  const { units } = await model.score('What does it mean?', unit, { raw: true, reference: 'none' });
  return units[0]!.raw;
};
const fetched = () => hub.requests.filter((request) => request.includes('/resolve/'));

it('the file that is needed is fetched, once, and is then read from the cache', async () => {
  const expected = await raw(`sae:${scratch}/gemma-scope-2b-pt-res/layer_1/params.npz#2`);
  const unit = `sae:${repo}/layer_1/width_6/average_l0_2#2`;
  expect(await raw(unit)).toEqual(expected);
  expect(fetched()).toEqual([
    `GET hub /${repo}/resolve/${tinyCommit}/layer_1/width_6/average_l0_2/params.npz`,
  ]);
  await hub.stop();
  expect(await raw(unit)).toEqual(expected);
});

it('by the name that Neuronpedia has for it, with a folder of the model', async () => {
  const unit = 'gemma-2-2b/1-gemmascope-res-16k/2';
  const model = await openModel(join(embeddedFolder, 'books-lm'));
  const { units } = await model.score('What does it mean?', unit, { raw: true, reference: 'none' });
  expect(units[0]!.unit).toBe(unit);
  expect(fetched()).toEqual([
    `GET hub /${repo}/resolve/${tinyCommit}/layer_1/width_16k/average_l0_102/params.npz`,
  ]);
});

it("Neuronpedia's maximum and texts stand beside the text, read by the same model", async () => {
  const exemplar = { tokens: ['What', ' does', ' it', ' mean', '?'], values: [0, 1, 2, 3, 9] };
  const server = createServer((_, response) =>
    response.end(JSON.stringify({ maxActApprox: 12, activations: [exemplar] })),
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  try {
    const neuronpedia = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const model = await openModel(join(embeddedFolder, 'books-lm'));
    const unit = 'gemma-2-2b/1-gemmascope-res-16k/2';
    const { units } = await model.score('What does it mean?', unit, { raw: true, neuronpedia });
    const { published, peak } = units[0]!;
    expect(published).toMatchObject({
      name: unit,
      maximum: 12,
      exemplars: [{ text: 'What does it mean?', published: 9 }],
    });
    expect(published!.exemplars[0]!.raw).toBeCloseTo(peak.raw, 4);
    const search = await model.search(unit, {
      neuronpedia,
      evaluations: 20,
      length: 3,
      finalists: 0,
      baseline: false,
      reference: 'none',
      calibrationTokens: 512,
    });
    expect(search.published).toEqual(published);
    await expect(model.score('a', 'L1.H1', { raw: true, neuronpedia })).rejects.toThrow(/none of these has/);
  } finally {
    server.close();
  }
});

it('also in sums and reference classes, by the name of the file, with its configuration', async () => {
  const model = await openModel('books-lm');
  await model.score('What does it mean?', `-"sae:${repo}/layer_1/width_6/average_l0_2#2"`, {
    raw: true,
    reference: `L1.H1, sae:${repo}/scope/checkpoints/b.npz@blocks.1.hook_resid_pre#3`,
  });
  expect(fetched().map((request) => request.split('/').slice(5).join('/'))).toEqual([
    'layer_1/width_6/average_l0_2/params.npz',
    'scope/hyperparams.json',
    'scope/checkpoints/b.npz',
  ]);
});

it.each([
  ['a folder above', '/layer_1', /there are .*average_l0_2\/params\.npz.*name one of them/],
  ['several in one folder', '/scope/checkpoints', /2 files of weights \(a\.npz, b\.npz\); name one of them/],
  ['nothing of that name', '/nowhere', /has no such folder or file; see/],
])('%s is refused', async (_, path, message) => {
  await expect(raw(`sae:${repo}${path}#2`)).rejects.toThrow(message);
});

it('offline, one that is not in the cache is refused', async () => {
  process.env.HF_HUB_OFFLINE = '1';
  await expect(raw(`sae:${repo}/layer_1/width_6/average_l0_2#2`)).rejects.toThrow(
    /not in the cache .* unset/,
  );
});
