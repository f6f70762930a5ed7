import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { etagOf, type FakeHub } from '../../test/fake-hub.js';
import {
  tinyCommit as commit,
  downloadTiny,
  expectWhole,
  tinyNewer as newer,
  tinyRepo as repo,
  jsonFile as text,
  tinyFolder,
  tinyHub,
  tinyNeeded,
  tinySettings,
  someWeights as weights,
} from '../../test/helpers/tiny-hub.js';
import { UserError } from '../core/errors.js';
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

const repoFolder = () => tinyFolder(settings);

describe('downloadModel', () => {
  it('fetches what is needed, in the layout of the Python library', async () => {
    const { folder, events } = await download();
    expect(folder).toBe(join(repoFolder(), 'snapshots', commit));
    expectWhole(hub, folder);
    expect(readFileSync(join(repoFolder(), 'refs', 'main'), 'utf8')).toBe(commit);
    for (const name of tinyNeeded) {
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
      ...tinyNeeded.filter((name) => name !== 'model.safetensors'),
      'model.safetensors.index.json',
      ...shards,
    ];
    const { folder, events } = await download();
    expectWhole(hub, folder, names);
    const total = names.reduce((sum, name) => sum + hub.files.get(name)!.content.length, 0);
    expect(events.at(-1)).toMatchObject({ done: total, total });
  });

  it('keeps revisions apart, and shares the blobs they have in common', async () => {
    await download();
    hub.requests.length = 0;
    const { folder } = await download('v1.0');
    expect(folder).toBe(join(repoFolder(), 'snapshots', newer));
    expectWhole(hub, folder);
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
    expectWhole(hub, folder);
    expect(hub.requests.filter((request) => request.includes('resolve'))).toEqual([
      `GET hub /${repo}/resolve/${newer}/config.json`,
    ]);
  });

  it('adds a tokenizer that another tool left out', async () => {
    const { folder } = await download();
    rmSync(join(folder, 'tokenizer.json'));
    expectWhole(hub, (await download()).folder);
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
    expectWhole(hub, (await download()).folder);
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
    expectWhole(hub, (await download()).folder);
    expect(hub.requests.at(-1)).toContain('bytes=100000-');
  });
});
