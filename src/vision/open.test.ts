import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { holdsVisionNetwork, openVisionNetwork } from './open.js';

const scratch = mkdtempSync(join(tmpdir(), 'superstim-open-'));
afterAll(() => rmSync(scratch, { recursive: true }));

function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(scratch, 'model-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const gpt2 = '{"model_type":"gpt2"}';

it.each([
  [false, { 'config.json': gpt2, 'model.safetensors': '', 'model.onnx': '' }],
  [false, { 'config.json': gpt2, 'model.onnx': '' }],
  [false, { 'config.json': gpt2, 'model.safetensors': '' }],
  [true, { 'config.json': '{"model_type":"resnet"}', 'preprocessor_config.json': '{}', 'model.onnx': '' }],
  [true, { 'config.json': '{"architecture":"resnet18"}', 'model.safetensors': '' }],
  [true, { 'model.onnx': '' }],
])('a folder is one of a vision network: %s for %j', (vision, files) => {
  expect(holdsVisionNetwork(folderOf(files as Record<string, string>))).toBe(vision);
});

it('says what a file of a foreign format is', () => {
  const folder = folderOf({ 'net.pth': 'x' });
  expect(() => openVisionNetwork(join(folder, 'net.pth'))).toThrow(/net\.pth is a checkpoint of PyTorch/);
  expect(() => openVisionNetwork(folder)).toThrow(/net\.pth is a checkpoint of PyTorch/);
});

it('names the file of a network that is not called model.json', () => {
  const folder = folderOf({
    'emotion.json': '{"modelTopology":{},"weightsManifest":[]}',
    'other.json': '[]',
  });
  expect(holdsVisionNetwork(folder)).toBe(true);
  expect(() => openVisionNetwork(folder)).toThrow(
    /holds no model.json: name the file of the network, .*emotion\.json$/,
  );
  expect(holdsVisionNetwork(folderOf({ 'other.json': '{}' }))).toBe(false);
});
