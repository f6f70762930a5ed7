import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FakeHub } from '../../test/fake-hub.js';
import { downloadTiny, tinyRepo as repo, tinyHub, tinySettings } from '../../test/helpers/tiny-hub.js';
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
