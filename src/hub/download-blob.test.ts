import { existsSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import {
  downloadTiny,
  expectWhole,
  tinyBlob,
  tinyFolder,
  tinyHubEach,
  tinyNeeded,
  someWeights as weights,
} from '../../test/helpers/tiny-hub.js';

const at = tinyHubEach();

const download = (revision?: string, signal?: AbortSignal) => downloadTiny(at.settings, revision, signal);

const repoFolder = () => tinyFolder(at);
const blobOf = (name: string) => tinyBlob(at, name);

describe('a broken connection', () => {
  it('is resumed where it broke off', async () => {
    at.hub.mischief.cuts = [50_000, 50_000, 50_000, 50_000];
    const { folder, events } = await download();
    expectWhole(at, folder);
    const asked = at.hub.requests.filter((request) => request.startsWith('GET storage'));
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
    const { content } = at.hub.files.get('model.safetensors')!;
    rmSync(blob);
    writeFileSync(`${blob}.incomplete`, content.subarray(0, 123_456));
    at.hub.requests.length = 0;
    expectWhole(at, (await download()).folder);
    expect(at.hub.requests.filter((request) => request.includes('bytes=123456-'))).toHaveLength(2);
  });

  it('starts over where the server does not resume', async () => {
    at.hub.mischief.cuts = [50_000, 70_000];
    at.hub.mischief.ignoreRanges = true;
    expectWhole(at, (await download()).folder);
  });

  it('counts silence as a break', async () => {
    at.hub.mischief.stallAfter = 120_000;
    const healed = vi.waitFor(() => {
      expect(at.hub.requests.at(-1)).toMatch(/^GET storage/);
      at.hub.mischief.stallAfter = null;
    });
    expectWhole(at, (await download()).folder);
    await healed;
    expect(at.hub.requests.at(-1)).toContain('bytes=120000-');
  });

  it('ends in a sentence when no attempt brings anything, and keeps what is there', async () => {
    at.hub.mischief.cuts = [80_000, 0, 0, 0];
    const sentence = /model\.safetensors broke off 3 times in a row.*resumes where it stopped/;
    await expect(download()).rejects.toThrow(sentence);
    expect(existsSync(join(repoFolder(), 'refs'))).toBe(false);
    expectWhole(at, (await download()).folder);
    expect(at.hub.requests.at(-1)).toContain('bytes=80000-');
  });
});

describe('a file that is not what was announced', () => {
  it('is fetched once more when its hash is wrong', async () => {
    at.hub.mischief.damages = 1;
    expectWhole(at, (await download()).folder);
    rmSync(repoFolder(), { recursive: true });
    at.hub.mischief.damages = 1000;
    await expect(download()).rejects.toThrow(/config\.json of tiny-org\/tiny-model arrived damaged twice/);
    expect(existsSync(join(repoFolder(), 'snapshots'))).toBe(false);
    expect(existsSync(join(repoFolder(), 'refs'))).toBe(false);
  });

  it.each([
    ['damaged', 100_000],
    ['too long', 400_000],
  ])('mends a half that is %s', async (_, bytes) => {
    await download();
    const blob = blobOf('model.safetensors');
    rmSync(blob);
    writeFileSync(`${blob}.incomplete`, Buffer.alloc(bytes, 7));
    expectWhole(at, (await download()).folder);
  });

  it.each([100, -100])('is refused when its size is off by %i', async (extraSize) => {
    at.hub.mischief.extraSize = extraSize;
    // The smallest files would have less than no bytes.
    for (const [name, { content }] of at.hub.files)
      if (content.length + extraSize < 0) at.hub.files.delete(name);
    if (extraSize < 0) at.hub.files.set('config.json', weights(20));
    await expect(download()).rejects.toThrow(/config\.json.* another size than it announced/);
    expect(existsSync(join(repoFolder(), 'snapshots'))).toBe(false);
  });

  it('is refused at once when it is shorter than what is there', async () => {
    await download();
    rmSync(join(repoFolder(), 'snapshots'), { recursive: true });
    renameSync(blobOf('model.safetensors'), `${blobOf('model.safetensors')}.incomplete`);
    at.hub.mischief.extraSize = 100;
    for (const name of tinyNeeded) if (name !== 'model.safetensors') at.hub.files.delete(name);
    at.hub.requests.length = 0;
    await expect(download()).rejects.toThrow(/model\.safetensors.* another size than it announced/);
    expect(at.hub.requests.filter((request) => request.startsWith('GET storage'))).toHaveLength(1);
    expect(existsSync(`${blobOf('model.safetensors')}.incomplete`)).toBe(false);
  });

  it('is fetched again when its blob was cut', async () => {
    const { folder } = await download();
    truncateSync(blobOf('model.safetensors'), 1000);
    rmSync(folder, { recursive: true });
    expectWhole(at, (await download()).folder);
    expect(statSync(blobOf('model.safetensors')).size).toBe(300_000);
  });
});
