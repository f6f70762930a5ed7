import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { downloadTiny, tinyRepo as repo, tinyHubEach } from '../../test/helpers/tiny-hub.js';
import { listModels } from './list-models.js';

const at = tinyHubEach();

const download = (revision?: string, signal?: AbortSignal) => downloadTiny(at.settings, revision, signal);

describe('listModels', () => {
  it('says what kind of model each embedded one is, and what its dictionary is called', () => {
    const root = join(at.scratch, 'embedded');
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
    const { embedded } = listModels(root, join(at.scratch, 'none'));
    expect(embedded.map((m) => [m.name, m.architecture, m.dictionary])).toEqual([
      ['network', 'TensorFlow.js', null],
      ['other-text', null, null],
      ['text-model', 'llama', 'sae:text-model'],
    ]);
  });

  it('lists what the cache has, and what is incomplete', async () => {
    const none = join(at.scratch, 'none');
    expect(listModels(none, none)).toMatchObject({ embedded: [], cached: [] });
    await download();
    const { folder } = await download('v1.0');
    rmSync(join(folder, 'model.safetensors'));
    mkdirSync(join(at.settings.cache, 'datasets--some--data', 'snapshots'), { recursive: true });
    writeFileSync(join(at.settings.cache, 'version.txt'), '1');
    expect(listModels(none, at.settings.cache).cached).toMatchObject([
      { name: repo, architecture: 'llama', complete: true },
      { name: `${repo}@v1.0`, architecture: 'llama', complete: false },
    ]);
  });
});
