import { existsSync, mkdtempSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FakeHub } from '../../test/fake-hub.js';
import {
  downloadTiny,
  expectWhole,
  tinyBlob,
  tinyFolder,
  tinyHub,
  tinyNeeded,
  tinySettings,
  someWeights as weights,
} from '../../test/helpers/tiny-hub.js';
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
const blobOf = (name: string) => tinyBlob(hub, settings, name);

describe('a broken connection', () => {
  it('is resumed where it broke off', async () => {
    hub.mischief.cuts = [50_000, 50_000, 50_000, 50_000];
    const { folder, events } = await download();
    expectWhole(hub, folder);
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
    expectWhole(hub, (await download()).folder);
    expect(hub.requests.filter((request) => request.includes('bytes=123456-'))).toHaveLength(2);
  });

  it('starts over where the server does not resume', async () => {
    hub.mischief.cuts = [50_000, 70_000];
    hub.mischief.ignoreRanges = true;
    expectWhole(hub, (await download()).folder);
  });

  it('counts silence as a break', async () => {
    hub.mischief.stallAfter = 120_000;
    const healed = vi.waitFor(() => {
      expect(hub.requests.at(-1)).toMatch(/^GET storage/);
      hub.mischief.stallAfter = null;
    });
    expectWhole(hub, (await download()).folder);
    await healed;
    expect(hub.requests.at(-1)).toContain('bytes=120000-');
  });

  it('ends in a sentence when no attempt brings anything, and keeps what is there', async () => {
    hub.mischief.cuts = [80_000, 0, 0, 0];
    const sentence = /model\.safetensors broke off 3 times in a row.*resumes where it stopped/;
    await expect(download()).rejects.toThrow(sentence);
    expect(existsSync(join(repoFolder(), 'refs'))).toBe(false);
    expectWhole(hub, (await download()).folder);
    expect(hub.requests.at(-1)).toContain('bytes=80000-');
  });
});

describe('a file that is not what was announced', () => {
  it('is fetched once more when its hash is wrong', async () => {
    hub.mischief.damages = 1;
    expectWhole(hub, (await download()).folder);
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
    expectWhole(hub, (await download()).folder);
  });

  it('mends a half that is too long', async () => {
    await download();
    const blob = blobOf('model.safetensors');
    rmSync(blob);
    writeFileSync(`${blob}.incomplete`, Buffer.alloc(400_000, 7));
    expectWhole(hub, (await download()).folder);
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
    for (const name of tinyNeeded) if (name !== 'model.safetensors') hub.files.delete(name);
    hub.requests.length = 0;
    await expect(download()).rejects.toThrow(/model\.safetensors.* another size than it announced/);
    expect(hub.requests.filter((request) => request.startsWith('GET storage'))).toHaveLength(1);
    expect(existsSync(`${blobOf('model.safetensors')}.incomplete`)).toBe(false);
  });

  it('is fetched again when its blob was cut', async () => {
    const { folder } = await download();
    truncateSync(blobOf('model.safetensors'), 1000);
    rmSync(folder, { recursive: true });
    expectWhole(hub, (await download()).folder);
    expect(statSync(blobOf('model.safetensors')).size).toBe(300_000);
  });
});
