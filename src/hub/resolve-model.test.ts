import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { UserError } from '../core/errors.js';
import { finishRun } from '../runs/events.js';
import { missingFiles, shardNames } from './model-files.js';
import { hashModel } from './model-hash.js';
import { parseHubModel, resolveModel } from './resolve-model.js';
import { hubSettings } from './settings.js';

const scratch = mkdtempSync(join(tmpdir(), 'superstim-resolve-'));
afterAll(() => rmSync(scratch, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const embedded = join(scratch, 'models');
for (const name of ['books-lm', 'small-cnn']) {
  mkdirSync(join(embedded, name), { recursive: true });
  writeFileSync(join(embedded, name, name === 'books-lm' ? 'config.json' : 'model.json'), '{}');
}
mkdirSync(join(embedded, 'notes'));

const resolveName = (name: string) => finishRun(resolveModel(name, { embedded }));

describe('resolveModel', () => {
  it('finds embedded models and folders', async () => {
    expect(await resolveName('books-lm')).toEqual({
      name: 'books-lm',
      source: 'embedded',
      folder: join(embedded, 'books-lm'),
    });
    const folder = join(embedded, 'small-cnn');
    expect(await resolveName(folder)).toEqual({ name: folder, source: 'folder', folder });
    expect(await resolveName(join(folder, 'model.json'))).toMatchObject({ source: 'folder', folder });
  });

  it.each([
    [
      'book-lm',
      /no model "book-lm"; did you mean "books-lm"\? embedded are books-lm, small-cnn; a folder or a hub id/,
    ],
    ['zzzzzzzzzzz', /no model "zzzzzzzzzzz": embedded are books-lm/],
    ['', /there is no model ""/],
    ['./nowhere', /there is no folder \.\/nowhere/],
    ['/no/where', /there is no folder \/no\/where/],
    [join(embedded, 'notes'), /neither config\.json .* nor model\.json/],
  ])('says about "%s" what would have been valid', async (name, sentence) => {
    await expect(resolveName(name)).rejects.toThrow(sentence);
    await expect(resolveName(name)).rejects.toBeInstanceOf(UserError);
  });

  it.each([
    ['x'.repeat(300), /could not look up x+…: the name is too long/],
    [`org/${'x'.repeat(120)}`, /there is no model "org\/x+…"/],
    [`org/name@${'x'.repeat(220)}`, /there is no model "org\/name@x+…"/],
    [join(scratch, 'circle'), /loop of symbolic links/],
    ['a\0b', /there is no model/],
  ])('refuses a name that is no name of a file or model (%#)', async (name, sentence) => {
    rmSync(join(scratch, 'circle'), { force: true });
    symlinkSync('circle', join(scratch, 'circle'));
    await expect(resolveName(name)).rejects.toThrow(sentence);
    await expect(resolveName(name)).rejects.toBeInstanceOf(UserError);
  });

  it.each([
    ['net.pth', /^net\.pth is a checkpoint of PyTorch, which is not read: .*save_file/],
    ['pytorch_model.bin', /checkpoint of PyTorch/],
    ['net.gguf', /quantized model of llama\.cpp.*name the model on the hub/],
    ['net.keras', /tensorflowjs_converter --input_format=keras_keras/],
    ['net.h5', /tensorflowjs_converter --input_format=keras FILE/],
  ])('says what %s is, alone and in a folder', async (name, sentence) => {
    const folder = mkdtempSync(join(scratch, 'foreign-'));
    writeFileSync(join(folder, name), 'x');
    await expect(resolveName(join(folder, name))).rejects.toThrow(sentence);
    await expect(resolveName(folder)).rejects.toThrow(/holds no model that is read: /);
    await expect(resolveName(folder)).rejects.toBeInstanceOf(UserError);
  });

  it('takes a folder with a loop of links for what else it holds', async () => {
    const folder = mkdtempSync(join(scratch, 'loop-'));
    symlinkSync('model.safetensors', join(folder, 'model.safetensors'));
    symlinkSync('.', join(folder, 'self'));
    writeFileSync(join(folder, 'config.json'), '{}');
    expect(await resolveName(folder)).toMatchObject({ source: 'folder' });
    expect(missingFiles(folder)).toEqual(['model.safetensors']);
    expect(await hashModel(folder)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('takes a hub id to the hub', async () => {
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    vi.stubEnv('HF_HUB_CACHE', join(scratch, 'cache'));
    await expect(resolveName('openai-community/gpt2')).rejects.toThrow(
      /openai-community\/gpt2 is not in the cache/,
    );
  });
});

describe('parseHubModel', () => {
  it('reads names and revisions', () => {
    expect(parseHubModel('openai-community/gpt2')).toEqual({
      repo: 'openai-community/gpt2',
      revision: 'main',
    });
    expect(parseHubModel('a/b.c-d@refs/pr/1')).toEqual({ repo: 'a/b.c-d', revision: 'refs/pr/1' });
  });

  it('never lets a name out of the cache', () => {
    const piece = fc.constantFrom('a', '.', '..', '/', '\\', '@', '--', '~', 'C:', '\0', ' ');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const model = parseHubModel(pieces.join(''));
        if (model === null) return;
        expect(model.repo.split('/')).toHaveLength(2);
        expect(`${model.repo}/${model.revision}`).not.toMatch(/\.\.|--|[\\~: \0]/);
        expect(model.revision).toMatch(/^\w/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('hubSettings', () => {
  it('reads the variables of the Hugging Face tools', () => {
    const home = join(scratch, 'hf-home');
    mkdirSync(home);
    writeFileSync(join(home, 'token'), 'hf_file\n');
    vi.stubEnv('HF_HOME', home);
    vi.stubEnv('HF_HUB_CACHE', undefined);
    vi.stubEnv('HF_TOKEN', undefined);
    vi.stubEnv('HF_TOKEN_PATH', undefined);
    vi.stubEnv('HF_HUB_OFFLINE', 'TRUE');
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:8000/');
    expect(hubSettings()).toMatchObject({
      endpoint: 'http://127.0.0.1:8000',
      cache: join(home, 'hub'),
      offline: true,
      token: 'hf_file',
    });
    vi.stubEnv('HF_HUB_CACHE', scratch);
    vi.stubEnv('HF_TOKEN', 'hf_variable');
    vi.stubEnv('HF_HUB_OFFLINE', '0');
    vi.stubEnv('HF_ENDPOINT', undefined);
    expect(hubSettings()).toMatchObject({
      endpoint: 'https://huggingface.co',
      cache: scratch,
      offline: false,
      token: 'hf_variable',
    });
  });

  it('refuses what cannot be a token or an address', () => {
    vi.stubEnv('HF_TOKEN', 'secret');
    expect(() => hubSettings()).toThrow(/must start with "hf_"/);
    for (const token of ['hf_a\nb', 'hf_ä', 'hf_a b', 'hf_\u202e', 'hf_a\x1b[2J']) {
      vi.stubEnv('HF_TOKEN', token);
      expect(() => hubSettings(), token).toThrow(UserError);
      expect(() => hubSettings(), token).not.toThrow(token);
    }
    vi.stubEnv('HF_TOKEN', 'hf_x');
    for (const address of [
      'nowhere',
      'file:///tmp',
      'https://me:secret@hub.example',
      'https://hub.example/?a=secret',
    ]) {
      vi.stubEnv('HF_ENDPOINT', address);
      expect(() => hubSettings(), address).toThrow(/HF_ENDPOINT is no plain address/);
      expect(() => hubSettings(), address).not.toThrow(/secret/);
    }
  });
});

describe('model files', () => {
  const folder = join(scratch, 'sharded');
  mkdirSync(folder);
  const index = JSON.stringify({
    weight_map: { a: 'one.safetensors', b: 'two.safetensors', c: 'one.safetensors' },
  });

  it('are counted as missing until all shards are there', () => {
    expect(missingFiles(folder)).toEqual(['config.json', 'model.safetensors']);
    writeFileSync(join(folder, 'config.json'), '{}');
    writeFileSync(join(folder, 'model.safetensors.index.json'), index);
    writeFileSync(join(folder, 'one.safetensors'), '1');
    expect(missingFiles(folder)).toEqual(['two.safetensors']);
    writeFileSync(join(folder, 'two.safetensors'), '2');
    expect(missingFiles(folder)).toEqual([]);
  });

  it.each(['', 'null', '[]', '{"weight_map":{}}', '{"weight_map":{"a":1}}'])(
    'refuse the index %s',
    (text) => {
      const damaged = mkdtempSync(join(scratch, 'index-'));
      writeFileSync(join(damaged, 'model.safetensors.index.json'), text);
      expect(() => shardNames(damaged)).toThrow(/names no files; fetch the model again/);
    },
  );

  it('have one hash wherever they lie, and another when anything changes', async () => {
    const hash = await hashModel(folder);
    const copy = join(scratch, 'copy');
    cpSync(folder, copy, { recursive: true });
    writeFileSync(join(copy, 'README.md'), 'a card changes nothing');
    expect(await hashModel(copy)).toBe(hash);
    writeFileSync(join(copy, 'two.safetensors'), '3');
    expect(await hashModel(copy)).not.toBe(hash);
  });

  it('have that hash also as links into the cache', async () => {
    const hash = await hashModel(folder);
    const linked = join(scratch, 'linked');
    mkdirSync(join(linked, 'blobs'), { recursive: true });
    mkdirSync(join(linked, 'snapshot'));
    for (const name of ['config.json', 'model.safetensors.index.json'])
      cpSync(join(folder, name), join(linked, 'snapshot', name));
    // The SHA-256 of "1" and "2", as the hub names their blobs.
    const digests = {
      'one.safetensors': '6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b',
      'two.safetensors': 'd4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35',
    };
    for (const [name, digest] of Object.entries(digests)) {
      writeFileSync(join(linked, 'blobs', digest), 'not read');
      symlinkSync(`../blobs/${digest}`, join(linked, 'snapshot', name));
    }
    expect(await hashModel(join(linked, 'snapshot'))).toBe(hash);
  });
});
