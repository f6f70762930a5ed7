import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { etagOf, type FakeHub } from '../../test/fake-hub.js';
import {
  tinyCommit as commit,
  downloadTiny,
  tinyNewer as newer,
  tinyRepo as repo,
  jsonFile as text,
  tinyHub,
  tinySettings,
  someWeights as weights,
} from '../../test/helpers/tiny-hub.js';
import { UserError } from '../core/errors.js';
import { listModels } from './list-models.js';
import type { HubSettings } from './settings.js';

const scratch = mkdtempSync(join(tmpdir(), 'superstim-hub-'));
afterAll(() => rmSync(scratch, { recursive: true }));

let hub: FakeHub;
let settings: HubSettings;

beforeEach(async () => {
  hub = await tinyHub();
  settings = tinySettings(hub.endpoint, scratch);
});
afterEach(() => hub.stop());

const download = (revision?: string, signal?: AbortSignal) => downloadTiny(settings, revision, signal);

const repoFolder = () => join(settings.cache, 'models--tiny-org--tiny-model');
const blobOf = (name: string) => join(repoFolder(), 'blobs', etagOf(hub.files.get(name)!));
const needed = [
  'config.json',
  'generation_config.json',
  'model.safetensors',
  'tokenizer.json',
  'tokenizer_config.json',
];

function expectWhole(folder: string, names = needed) {
  expect(readdirSync(folder).sort()).toEqual([...names].sort());
  for (const name of names) {
    expect(readFileSync(join(folder, name)).equals(hub.files.get(name)!.content), name).toBe(true);
  }
}

describe('downloadModel', () => {
  it('fetches what is needed, in the layout of the Python library', async () => {
    const { folder, events } = await download();
    expect(folder).toBe(join(repoFolder(), 'snapshots', commit));
    expectWhole(folder);
    expect(readFileSync(join(repoFolder(), 'refs', 'main'), 'utf8')).toBe(commit);
    for (const name of needed) {
      expect(lstatSync(join(folder, name)).isSymbolicLink()).toBe(true);
      expect(readlinkSync(join(folder, name))).toBe(`../../blobs/${etagOf(hub.files.get(name)!)}`);
    }
    expect(readdirSync(join(repoFolder(), 'blobs')).some((name) => name.endsWith('.incomplete'))).toBe(false);
    expect(events.at(-1)).toMatchObject({ kind: 'progress', budget: 'bytes', done: 300_059, total: 300_059 });
    expect(hub.requests.filter((request) => /bin|h5|msgpack|README/.test(request))).toEqual([]);
  });

  it('asks only for the commit when all is there, and for nothing when the commit is given', async () => {
    await download();
    hub.requests.length = 0;
    expect((await download()).events).toEqual([]);
    expect(hub.requests).toEqual([`GET hub /api/models/${repo}/revision/main`]);
    hub.requests.length = 0;
    await download(commit);
    expect(hub.requests).toEqual([]);
  });

  it('fetches the shards that the index names', async () => {
    hub.files.delete('model.safetensors');
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    shards.forEach((name, index) => {
      hub.files.set(name, weights(10 + index));
    });
    hub.files.set('model-00003-of-00002.safetensors', weights(12));
    const map = { 'a.weight': shards[0], 'b.weight': shards[1], 'b.bias': shards[1] };
    hub.files.set('model.safetensors.index.json', text({ metadata: {}, weight_map: map }));
    const names = [
      ...needed.filter((name) => name !== 'model.safetensors'),
      'model.safetensors.index.json',
      ...shards,
    ];
    const { folder, events } = await download();
    expectWhole(folder, names);
    const total = names.reduce((sum, name) => sum + hub.files.get(name)!.content.length, 0);
    expect(events.at(-1)).toMatchObject({ done: total, total });
  });

  it('keeps revisions apart, and shares the blobs they have in common', async () => {
    await download();
    hub.requests.length = 0;
    const { folder } = await download('v1.0');
    expect(folder).toBe(join(repoFolder(), 'snapshots', newer));
    expectWhole(folder);
    expect(readFileSync(join(repoFolder(), 'refs', 'v1.0'), 'utf8')).toBe(newer);
    expect(hub.requests.filter((request) => request.includes('resolve'))).toEqual([]);
  });

  it('follows a branch that moved, and fetches what changed', async () => {
    await download();
    hub.revisions.set('main', newer);
    hub.files.set('config.json', text({ model_type: 'llama', changed: true }));
    hub.requests.length = 0;
    const { folder } = await download();
    expect(folder).toBe(join(repoFolder(), 'snapshots', newer));
    expectWhole(folder);
    expect(hub.requests.filter((request) => request.includes('resolve'))).toEqual([
      `GET hub /${repo}/resolve/${newer}/config.json`,
    ]);
  });

  it('adds a tokenizer that another tool left out', async () => {
    const { folder } = await download();
    rmSync(join(folder, 'tokenizer.json'));
    expectWhole((await download()).folder);
  });
});

describe('a broken connection', () => {
  it('is resumed where it broke off', async () => {
    hub.mischief.cuts = [50_000, 50_000, 50_000, 50_000];
    const { folder, events } = await download();
    expectWhole(folder);
    const asked = hub.requests.filter((request) => request.startsWith('GET storage'));
    expect(asked.map((request) => Number(/bytes=(\d+)-/.exec(request)?.[1] ?? 0))).toEqual([
      0, 50_000, 100_000, 150_000, 200_000,
    ]);
    const done = events.flatMap((event) => (event.kind === 'progress' ? [event.done] : []));
    expect(done).toEqual([...done].sort((a, b) => a - b));
  });

  it('is resumed by the next run too, also where Python left it', async () => {
    await download();
    rmSync(join(repoFolder(), 'snapshots'), { recursive: true });
    const blob = blobOf('model.safetensors');
    const { content } = hub.files.get('model.safetensors')!;
    rmSync(blob);
    writeFileSync(`${blob}.incomplete`, content.subarray(0, 123_456));
    hub.requests.length = 0;
    expectWhole((await download()).folder);
    expect(hub.requests.filter((request) => request.includes('bytes=123456-'))).toHaveLength(2);
  });

  it('starts over where the server does not resume', async () => {
    hub.mischief.cuts = [50_000, 70_000];
    hub.mischief.ignoreRanges = true;
    expectWhole((await download()).folder);
  });

  it('counts silence as a break', async () => {
    hub.mischief.stallAfter = 120_000;
    const healed = vi.waitFor(() => {
      expect(hub.requests.at(-1)).toMatch(/^GET storage/);
      hub.mischief.stallAfter = null;
    });
    expectWhole((await download()).folder);
    await healed;
    expect(hub.requests.at(-1)).toContain('bytes=120000-');
  });

  it('ends in a sentence when no attempt brings anything, and keeps what is there', async () => {
    hub.mischief.cuts = [80_000, 0, 0, 0];
    const sentence = /model\.safetensors broke off 3 times in a row.*resumes where it stopped/;
    await expect(download()).rejects.toThrow(sentence);
    expect(existsSync(join(repoFolder(), 'refs'))).toBe(false);
    expectWhole((await download()).folder);
    expect(hub.requests.at(-1)).toContain('bytes=80000-');
  });
});

describe('a file that is not what was announced', () => {
  it('is fetched once more when its hash is wrong', async () => {
    hub.mischief.damages = 1;
    expectWhole((await download()).folder);
    rmSync(repoFolder(), { recursive: true });
    hub.mischief.damages = 1000;
    await expect(download()).rejects.toThrow(/config\.json of tiny-org\/tiny-model arrived damaged twice/);
    expect(existsSync(join(repoFolder(), 'snapshots'))).toBe(false);
    expect(existsSync(join(repoFolder(), 'refs'))).toBe(false);
  });

  it('mends a damaged half', async () => {
    await download();
    const blob = blobOf('model.safetensors');
    rmSync(blob);
    writeFileSync(`${blob}.incomplete`, Buffer.alloc(100_000, 7));
    expectWhole((await download()).folder);
  });

  it('mends a half that is too long', async () => {
    await download();
    const blob = blobOf('model.safetensors');
    rmSync(blob);
    writeFileSync(`${blob}.incomplete`, Buffer.alloc(400_000, 7));
    expectWhole((await download()).folder);
  });

  it.each([100, -100])('is refused when its size is off by %i', async (extraSize) => {
    hub.mischief.extraSize = extraSize;
    // The smallest files would have less than no bytes.
    for (const [name, { content }] of hub.files) if (content.length + extraSize < 0) hub.files.delete(name);
    if (extraSize < 0) hub.files.set('config.json', weights(20));
    await expect(download()).rejects.toThrow(/config\.json.* another size than it announced/);
    expect(existsSync(join(repoFolder(), 'snapshots'))).toBe(false);
  });

  it('is refused at once when it is shorter than what is there', async () => {
    await download();
    rmSync(join(repoFolder(), 'snapshots'), { recursive: true });
    renameSync(blobOf('model.safetensors'), `${blobOf('model.safetensors')}.incomplete`);
    hub.mischief.extraSize = 100;
    for (const name of needed) if (name !== 'model.safetensors') hub.files.delete(name);
    hub.requests.length = 0;
    await expect(download()).rejects.toThrow(/model\.safetensors.* another size than it announced/);
    expect(hub.requests.filter((request) => request.startsWith('GET storage'))).toHaveLength(1);
    expect(existsSync(`${blobOf('model.safetensors')}.incomplete`)).toBe(false);
  });

  it('is fetched again when its blob was cut', async () => {
    const { folder } = await download();
    truncateSync(blobOf('model.safetensors'), 1000);
    rmSync(folder, { recursive: true });
    expectWhole((await download()).folder);
    expect(statSync(blobOf('model.safetensors')).size).toBe(300_000);
  });
});

describe('a hub that refuses', () => {
  it.each([
    [
      { status: 403, code: 'GatedRepo' },
      /is gated: accept its conditions at http.*tiny-org\/tiny-model, then set HF_TOKEN/,
    ],
    [{ status: 401, code: 'RepoNotFound' }, /no such model on http.*private and HF_TOKEN is not set/],
    [{ status: 404, code: 'RevisionNotFound' }, /has no revision "main"/],
    [{ status: 503 }, /is busy \(status 503\)/],
    [{ status: 418 }, /refused tiny-org\/tiny-model \(status 418\)/],
  ])('with %j is a clear sentence', async (refuse, sentence) => {
    hub.mischief.refuse = refuse;
    await expect(download()).rejects.toThrow(sentence);
    await expect(download()).rejects.toBeInstanceOf(UserError);
  });

  it('lets a token in, and does not show it to the storage', async () => {
    hub.mischief.token = 'hf_secret';
    await expect(download()).rejects.toThrow(/HF_TOKEN is not set/);
    settings.token = 'hf_secret';
    expectWhole((await download()).folder);
    expect(hub.leakedTokens).toEqual([]);
  });

  it('says when a token is no good', async () => {
    settings.token = 'hf_wrong';
    hub.mischief.refuse = { status: 401 };
    await expect(download()).rejects.toThrow(/does not accept the token in HF_TOKEN/);
  });

  it('says what a model without safetensors has instead', async () => {
    hub.files.delete('model.safetensors');
    await expect(download()).rejects.toThrow(
      /has no model\.safetensors, only pytorch_model\.bin, tf_model\.h5/,
    );
  });
});

describe('without network', () => {
  it('uses the cache and says so', async () => {
    const { folder } = await download();
    await hub.stop();
    const again = await download();
    expect(again.folder).toBe(folder);
    expect(again.events).toMatchObject([
      { kind: 'warning', message: expect.stringContaining('using commit aaaaaaa') },
    ]);
    await expect(download('v1.0')).rejects.toThrow(
      /could not reach http:\/\/127\.0\.0\.1.*ECONNREFUSED.*check the network/,
    );
  });

  it('asks nothing with HF_HUB_OFFLINE', async () => {
    const { folder } = await download();
    hub.requests.length = 0;
    settings.offline = true;
    expect(await download()).toEqual({ folder, events: [] });
    await expect(download('v1.0')).rejects.toThrow(
      /tiny-model@v1\.0 is not in the cache .* HF_HUB_OFFLINE is set/,
    );
    expect(hub.requests).toEqual([]);
  });

  it('does not take half a model from the cache', async () => {
    const { folder } = await download();
    rmSync(join(folder, 'model.safetensors'));
    settings.offline = true;
    await expect(download()).rejects.toThrow(/is not in the cache/);
  });
});

describe('the signal', () => {
  it('stops a download and resumes it the next time', async () => {
    hub.mischief.stallAfter = 100_000;
    settings.patience.silence = 60_000;
    const controller = new AbortController();
    const reason = new UserError('interrupted');
    const arrived = vi.waitFor(() => {
      const blobs = join(repoFolder(), 'blobs');
      expect(readdirSync(blobs).map((name) => statSync(join(blobs, name)).size)).toContain(100_000);
      controller.abort(reason);
    });
    await expect(download('main', controller.signal)).rejects.toBe(reason);
    await arrived;
    hub.mischief.stallAfter = null;
    expectWhole((await download()).folder);
    expect(hub.requests.at(-1)).toContain('bytes=100000-');
  });
});

describe('listModels', () => {
  it('says what kind of model each embedded one is, and what its dictionary is called', () => {
    const root = join(scratch, 'embedded');
    const declarations = {
      network: ['model.json', '{ "format": "layers-model" }'],
      'other-text': ['config.json', '{}'],
      'text-model': ['config.json', '{ "model_type": "llama" }'],
    } as const;
    for (const [name, [file, content]] of Object.entries(declarations)) {
      mkdirSync(join(root, name), { recursive: true });
      writeFileSync(join(root, name, file), content);
    }
    mkdirSync(join(root, 'text-model', 'dictionary'));
    const { embedded } = listModels(root, join(scratch, 'none'));
    expect(embedded.map((m) => [m.name, m.architecture, m.dictionary])).toEqual([
      ['network', 'TensorFlow.js', null],
      ['other-text', null, null],
      ['text-model', 'llama', 'sae:text-model'],
    ]);
  });

  it('lists what the cache has, and what is incomplete', async () => {
    const none = join(scratch, 'none');
    expect(listModels(none, none)).toMatchObject({ embedded: [], cached: [] });
    await download();
    const { folder } = await download('v1.0');
    rmSync(join(folder, 'model.safetensors'));
    mkdirSync(join(settings.cache, 'datasets--some--data', 'snapshots'), { recursive: true });
    writeFileSync(join(settings.cache, 'version.txt'), '1');
    expect(listModels(none, settings.cache).cached).toMatchObject([
      { name: repo, architecture: 'llama', complete: true },
      { name: `${repo}@v1.0`, architecture: 'llama', complete: false },
    ]);
  });
});
