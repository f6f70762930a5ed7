/** Networks of the hub by their names: what is downloaded of each repository, and that it opens. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { openSafetensors, writeSafetensors } from '../../src/engine/weights/safetensors.js';
import type { WeightArray } from '../../src/engine/weights/weights.js';
import { resolveModel } from '../../src/hub/resolve-model.js';
import { finishRun } from '../../src/runs/events.js';
import { holdsVisionNetwork, openVisionNetwork } from '../../src/vision/open.js';
import { FakeHub } from '../fake-hub.js';
import { torchFile } from '../helpers/array-files.js';
import { jsonFile, tinySettings } from '../helpers/tiny-hub.js';

const scratch = mkdtempSync(join(tmpdir(), 'superstim-by-name-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const fixture = (name: string, file: string) =>
  fileURLToPath(new URL(`../fixtures/vision/${name}/${file}`, import.meta.url));
const stored = (path: string) => ({ content: readFileSync(path), lfs: true });

/** A VGG of four channels a layer, to block4_conv1. */
function vgg() {
  const arrays = [0, 2, 5, 7, 10, 12, 14, 16, 19].flatMap((index): [string, WeightArray][] => {
    const shape = [4, index === 0 ? 3 : 4, 3, 3];
    return [
      [`features.${index}.weight`, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }],
      [`features.${index}.bias`, { shape: [4], data: new Float32Array(4) }],
    ];
  });
  const path = join(scratch, 'vgg.safetensors');
  writeSafetensors(path, arrays);
  return stored(path);
}

/** CLIP's repository has a `pytorch_model.bin` and no safetensors. */
function clipOfTorch() {
  const weights = openSafetensors(fixture('clip', 'model.safetensors'));
  const arrays = Object.fromEntries(
    weights.names.map((name) => [name, { shape: weights.shape(name), data: weights.read(name) }]),
  );
  return { content: torchFile(arrays), lfs: true };
}

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], input_size: [3, 224, 224] };
const clipRange = { image_mean: [0.5, 0.5, 0.5], image_std: [0.25, 0.25, 0.25], crop_size: 12 };

test.each([
  [
    'timm/vgg19.tv_in1k',
    {
      'config.json': jsonFile({ architecture: 'vgg19', pretrained_cfg: imagenet }),
      'model.safetensors': vgg(),
    },
    { layer: 'block4_conv1', channels: 4, size: 224, scale: 1 / 0.229 },
  ],
  [
    'timm/vit_small_patch14_dinov2.lvd142m',
    {
      'config.json': stored(fixture('timm-dinov2-registers', 'config.json')),
      'model.safetensors': stored(fixture('timm-dinov2-registers', 'model.safetensors')),
    },
    { layer: 'blocks.1.mlp', channels: 24, size: 518, scale: 1 / 0.229 },
  ],
  [
    'openai/clip-vit-base-patch32',
    {
      'config.json': stored(fixture('clip', 'config.json')),
      'preprocessor_config.json': jsonFile(clipRange),
      'pytorch_model.bin': clipOfTorch(),
      'tf_model.h5': { content: Buffer.from('x'), lfs: true },
    },
    { layer: 'blocks.1.mlp', channels: 24, size: 12, scale: 4 },
  ],
])('%s', async (repo, files, { layer, channels, size, scale }) => {
  const hub = await new FakeHub(
    repo,
    new Map(Object.entries(files)),
    new Map([['main', 'a'.repeat(40)]]),
  ).start();
  try {
    const settings = tinySettings(hub.endpoint, scratch);
    const { folder } = await finishRun(resolveModel(repo, { settings }));
    expect(readdirSync(folder).sort()).toEqual(
      Object.keys(files)
        .filter((name) => name !== 'tf_model.h5')
        .sort(),
    );
    expect(holdsVisionNetwork(folder)).toBe(true);
    const network = openVisionNetwork(folder, repo);
    expect(network.layer(layer).channels).toBe(channels);
    expect(network.input.height).toBe(size);
    expect(network.input.preprocessing?.scale[0]).toBeCloseTo(scale);
    // It is complete: without network it is found again.
    const again = await finishRun(resolveModel(repo, { settings: { ...settings, offline: true } }));
    expect(again.folder).toBe(folder);
  } finally {
    await hub.stop();
  }
});
