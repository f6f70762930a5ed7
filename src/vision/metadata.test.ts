import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { UserError } from '../core/errors.js';
import { inputMetadata } from './metadata.js';
import { imagenet, type Preprocessing, range } from './preprocess.js';

const scratch = mkdtempSync(join(tmpdir(), 'superstim-metadata-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function folderOf(files: Record<string, object>): string {
  const folder = mkdtempSync(join(scratch, 'model-'));
  for (const [name, value] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(value));
  return folder;
}

const { mean, std } = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

it.each<[Record<string, object>, Preprocessing | undefined, number | undefined]>([
  [{}, undefined, undefined],
  [{ 'preprocessor_config.json': { image_mean: mean, image_std: std, size: 192 } }, imagenet, 192],
  [
    {
      'preprocessor_config.json': {
        do_rescale: true,
        rescale_factor: 1 / 255,
        do_normalize: false,
        image_mean: mean,
        image_std: std,
        size: { shortest_edge: 256 },
        crop_size: { height: 224, width: 224 },
      },
    },
    range(0, 1),
    224,
  ],
  [{ 'preprocessor_config.json': { do_rescale: false, do_normalize: false } }, range(0, 255), undefined],
  [{ 'preprocessor_config.json': { feature_extractor_type: 'x' } }, undefined, undefined],
  [{ 'config.json': { pretrained_cfg: { mean, std, input_size: [3, 299, 299] } } }, imagenet, 299],
  [{ 'config.json': { model_type: 'vit' } }, undefined, undefined],
  [{ 'metadata.json': { packageName: '@teachablemachine/image' } }, range(-1, 1), undefined],
])('%j', (files, preprocessing, size) => {
  const found = inputMetadata(folderOf(files));
  expect(found.size).toBe(size);
  expect(found.preprocessing?.order).toBe(preprocessing?.order);
  for (const key of ['scale', 'offset'] as const)
    (found.preprocessing?.[key] ?? []).forEach((value, c) => {
      expect(value).toBeCloseTo(preprocessing![key][c]!, 6);
    });
});

it('reports what is damaged', () => {
  expect(() => inputMetadata(folderOf({ 'preprocessor_config.json': { image_std: [0, 1, 1] } }))).toThrow(
    UserError,
  );
});
