import { lstatSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { etagOf } from '../../test/fake-hub.js';
import {
  tinyCommit as commit,
  downloadTiny,
  expectWhole,
  tinyNewer as newer,
  tinyRepo as repo,
  jsonFile as text,
  tinyFolder,
  tinyHubEach,
  tinyNeeded,
  someWeights as weights,
} from '../../test/helpers/tiny-hub.js';
import { UserError } from '../core/errors.js';

const at = tinyHubEach();

const download = (revision?: string, signal?: AbortSignal) => downloadTiny(at.settings, revision, signal);

const repoFolder = () => tinyFolder(at);

describe('downloadModel', () => {
  it('fetches what is needed, in the layout of the Python library', async () => {
    const { folder, events } = await download();
    expect(folder).toBe(join(repoFolder(), 'snapshots', commit));
    expectWhole(at, folder);
    expect(readFileSync(join(repoFolder(), 'refs', 'main'), 'utf8')).toBe(commit);
    for (const name of tinyNeeded) {
      expect(lstatSync(join(folder, name)).isSymbolicLink()).toBe(true);
      expect(readlinkSync(join(folder, name))).toBe(`../../blobs/${etagOf(at.hub.files.get(name)!)}`);
    }
    expect(readdirSync(join(repoFolder(), 'blobs')).some((name) => name.endsWith('.incomplete'))).toBe(false);
    expect(events.at(-1)).toMatchObject({ kind: 'progress', budget: 'bytes', done: 300_059, total: 300_059 });
    expect(at.hub.requests.filter((request) => /bin|h5|msgpack|README/.test(request))).toEqual([]);
  });

  it('asks only for the commit when all is there, and for nothing when the commit is given', async () => {
    await download();
    at.hub.requests.length = 0;
    expect((await download()).events).toEqual([]);
    expect(at.hub.requests).toEqual([`GET hub /api/models/${repo}/revision/main`]);
    at.hub.requests.length = 0;
    await download(commit);
    expect(at.hub.requests).toEqual([]);
  });

  it('fetches the shards that the index names', async () => {
    at.hub.files.delete('model.safetensors');
    const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    shards.forEach((name, index) => {
      at.hub.files.set(name, weights(10 + index));
    });
    at.hub.files.set('model-00003-of-00002.safetensors', weights(12));
    const map = { 'a.weight': shards[0], 'b.weight': shards[1], 'b.bias': shards[1] };
    at.hub.files.set('model.safetensors.index.json', text({ metadata: {}, weight_map: map }));
    const names = [
      ...tinyNeeded.filter((name) => name !== 'model.safetensors'),
      'model.safetensors.index.json',
      ...shards,
    ];
    const { folder, events } = await download();
    expectWhole(at, folder, names);
    const total = names.reduce((sum, name) => sum + at.hub.files.get(name)!.content.length, 0);
    expect(events.at(-1)).toMatchObject({ done: total, total });
  });

  it('keeps revisions apart, and shares the blobs they have in common', async () => {
    await download();
    at.hub.requests.length = 0;
    const { folder } = await download('v1.0');
    expect(folder).toBe(join(repoFolder(), 'snapshots', newer));
    expectWhole(at, folder);
    expect(readFileSync(join(repoFolder(), 'refs', 'v1.0'), 'utf8')).toBe(newer);
    expect(at.hub.requests.filter((request) => request.includes('resolve'))).toEqual([]);
  });

  it('follows a branch that moved, and fetches what changed', async () => {
    await download();
    at.hub.revisions.set('main', newer);
    at.hub.files.set('config.json', text({ model_type: 'llama', changed: true }));
    at.hub.requests.length = 0;
    const { folder } = await download();
    expect(folder).toBe(join(repoFolder(), 'snapshots', newer));
    expectWhole(at, folder);
    expect(at.hub.requests.filter((request) => request.includes('resolve'))).toEqual([
      `GET hub /${repo}/resolve/${newer}/config.json`,
    ]);
  });

  it('adds a tokenizer that another tool left out', async () => {
    const { folder } = await download();
    rmSync(join(folder, 'tokenizer.json'));
    expectWhole(at, (await download()).folder);
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
    at.hub.mischief.refuse = refuse;
    await expect(download()).rejects.toThrow(sentence);
    await expect(download()).rejects.toBeInstanceOf(UserError);
  });

  it('lets a token in, and does not show it to the storage', async () => {
    at.hub.mischief.token = 'hf_secret';
    await expect(download()).rejects.toThrow(/HF_TOKEN is not set/);
    at.settings.token = 'hf_secret';
    expectWhole(at, (await download()).folder);
    expect(at.hub.leakedTokens).toEqual([]);
  });

  it('says when a token is no good', async () => {
    at.settings.token = 'hf_wrong';
    at.hub.mischief.refuse = { status: 401 };
    await expect(download()).rejects.toThrow(/does not accept the token in HF_TOKEN/);
  });

  it('says what a model without safetensors has instead', async () => {
    at.hub.files.delete('model.safetensors');
    await expect(download()).rejects.toThrow(
      /has no model\.safetensors, only pytorch_model\.bin, tf_model\.h5/,
    );
  });
});

describe('without network', () => {
  it('uses the cache and says so', async () => {
    const { folder } = await download();
    await at.hub.stop();
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
    at.hub.requests.length = 0;
    at.settings.offline = true;
    expect(await download()).toEqual({ folder, events: [] });
    await expect(download('v1.0')).rejects.toThrow(
      /tiny-model@v1\.0 is not in the cache .* HF_HUB_OFFLINE is set/,
    );
    expect(at.hub.requests).toEqual([]);
  });

  it('does not take half a model from the cache', async () => {
    const { folder } = await download();
    rmSync(join(folder, 'model.safetensors'));
    at.settings.offline = true;
    await expect(download()).rejects.toThrow(/is not in the cache/);
  });
});

describe('the signal', () => {
  it('stops a download and resumes it the next time', async () => {
    at.hub.mischief.stallAfter = 100_000;
    at.settings.patience.silence = 60_000;
    const controller = new AbortController();
    const reason = new UserError('interrupted');
    const arrived = vi.waitFor(() => {
      const blobs = join(repoFolder(), 'blobs');
      expect(readdirSync(blobs).map((name) => statSync(join(blobs, name)).size)).toContain(100_000);
      controller.abort(reason);
    });
    await expect(download('main', controller.signal)).rejects.toBe(reason);
    await arrived;
    at.hub.mischief.stallAfter = null;
    expectWhole(at, (await download()).folder);
    expect(at.hub.requests.at(-1)).toContain('bytes=100000-');
  });
});
