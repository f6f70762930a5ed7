/** @file A fake hub with one tiny model, and settings that ask it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect } from 'vitest';
import { downloadModel } from '../../src/hub/download-model.js';
import type { HubSettings } from '../../src/hub/settings.js';
import { finishRun, type RunEvent } from '../../src/runs/events.js';
import { etagOf, FakeHub } from '../fake-hub.js';

export const tinyRepo = 'tiny-org/tiny-model';
export const tinyCommit = 'a'.repeat(40);
export const tinyNewer = 'b'.repeat(40);

export const jsonFile = (value: unknown) => ({ content: Buffer.from(JSON.stringify(value)), lfs: false });

/** Weights of 300,000 bytes in which no two places look alike. */
export const someWeights = (seed: number) => ({
  content: Buffer.from(
    Uint32Array.from({ length: 75_000 }, (_, i) => Math.imul(i + seed, 2654435761)).buffer,
  ),
  lfs: true,
});

/** Started; the caller stops it. */
export function tinyHub(): Promise<FakeHub> {
  const files = new Map(
    Object.entries({
      '.gitattributes': { content: Buffer.from('*.safetensors filter=lfs'), lfs: false },
      'README.md': { content: Buffer.from('# tiny'), lfs: false },
      'config.json': jsonFile({ model_type: 'llama' }),
      'generation_config.json': jsonFile({ bos_token_id: 1 }),
      'model.safetensors': someWeights(1),
      'pytorch_model.bin': someWeights(2),
      'tokenizer.json': jsonFile({ version: '1.0' }),
      'tokenizer_config.json': jsonFile({}),
      'tf_model.h5': someWeights(3),
      'flax_model.msgpack': someWeights(4),
    }),
  );
  return new FakeHub(tinyRepo, files, new Map([['main', tinyCommit], ['v1.0', tinyNewer]])).start(); // biome-ignore format: a table
}

/** Settings with an empty cache in a new folder of `scratch`. */
export function tinySettings(endpoint: string, scratch: string): HubSettings {
  return {
    endpoint,
    cache: mkdtempSync(join(scratch, 'cache-')),
    offline: false,
    token: null,
    proxies: { http: '', https: '', none: '' },
    patience: { attempts: 3, delay: 1, silence: 1000 },
  };
}

/** Downloads the model and keeps what the download says. */
export async function downloadTiny(settings: HubSettings, revision = 'main', signal?: AbortSignal) {
  const events: RunEvent[] = [];
  const run = downloadModel({ repo: tinyRepo, revision }, { settings, ...(signal && { signal }) });
  const folder = await finishRun(run, (event) => events.push(event));
  return { folder, events };
}

export interface TinyHub {
  hub: FakeHub;
  settings: HubSettings;
  /** Holds the caches; goes when the file's tests end. */
  readonly scratch: string;
}

/** A hub and an empty cache for each test of a file. */
export function tinyHubEach(): TinyHub {
  const at = { scratch: mkdtempSync(join(tmpdir(), 'superstim-hub-')) } as TinyHub;
  beforeEach(async () => {
    at.hub = await tinyHub();
    at.settings = tinySettings(at.hub.endpoint, at.scratch);
  });
  afterEach(() => at.hub.stop());
  afterAll(() => rmSync(at.scratch, { recursive: true }));
  return at;
}

export const tinyFolder = ({ settings }: TinyHub) => join(settings.cache, 'models--tiny-org--tiny-model');

/** Where the content of a file is kept. */
export const tinyBlob = (at: TinyHub, name: string) =>
  join(tinyFolder(at), 'blobs', etagOf(at.hub.files.get(name)!));

/** What a download of the tiny model brings. */
export const tinyNeeded = [
  'config.json',
  'generation_config.json',
  'model.safetensors',
  'tokenizer.json',
  'tokenizer_config.json',
];

export function expectWhole({ hub }: TinyHub, folder: string, names = tinyNeeded) {
  expect(readdirSync(folder).sort()).toEqual([...names].sort());
  for (const name of names)
    expect(readFileSync(join(folder, name)).equals(hub.files.get(name)!.content), name).toBe(true);
}
