import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { pickledCall, type TestArray, torchFile } from '../../test/helpers/array-files.js';
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
  const folder = folderOf({ 'net.keras': 'x' });
  expect(() => openVisionNetwork(join(folder, 'net.keras'))).toThrow(/net\.keras is a model of Keras/);
  expect(() => openVisionNetwork(folder)).toThrow(/net\.keras is a model of Keras/);
});

it('reads .pth and pytorch_model.bin, and executes nothing of them', () => {
  const array = (...shape: number[]): TestArray => ({
    shape,
    data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
  });
  const vgg = { 'features.0.weight': array(4, 3, 3, 3), 'features.0.bias': array(4) };
  const folder = folderOf({ 'config.json': '{"model_type":"clip"}' });
  for (const name of ['net.pth', 'pytorch_model.bin']) {
    writeFileSync(join(folder, name), torchFile(vgg));
    expect(holdsVisionNetwork(join(folder, name))).toBe(true);
    expect(openVisionNetwork(join(folder, name)).layer('block1_conv1').channels).toBe(4);
  }
  // A folder's weights are those that the hub's tools write.
  expect(holdsVisionNetwork(folder)).toBe(true);
  expect(openVisionNetwork(folder).layer('features.0').channels).toBe(4);
  writeFileSync(join(folder, 'evil.pth'), torchFile({}, { x: pickledCall('os', 'system', 'true') }));
  expect(() => openVisionNetwork(join(folder, 'evil.pth'))).toThrow(/os\.system/);
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
