import { expect, it } from 'vitest';
import { suggestedModels } from '../../hub/suggested-models.js';
import type { Paint } from '../output.js';
import { type DeviceState, formatDevices, formatModels, formatSuggested } from './models.js';

const plain: Paint = (_style, text) => text;

it('lists models with what is missing of them and what their latents are called', () => {
  const model = {
    name: 'a',
    folder: '/a',
    architecture: 'llama',
    bytes: 2e6,
    complete: true,
    dictionary: 'sae:a',
  };
  const half = {
    name: 'b/c',
    folder: '/b',
    architecture: null,
    bytes: 1000,
    complete: false,
    dictionary: null,
  };
  const text = formatModels({ embedded: [model], cached: [half], cache: '/c' }, plain);
  expect(text).toMatch(/^Embedded\n +a +llama +2 MB +latents: sae:a#0\n/);
  expect(text).toMatch(/Hugging Face cache \(\/c\)\n +b\/c +unknown +1 kB, incomplete/);
  expect(formatModels({ embedded: [], cached: [], cache: '/c' }, plain)).toContain('(none; --model org/name');
});

it('says why a device cannot be used', () => {
  const [processor, gpu, old] = [
    { name: 'Cores', memory: 24e9 },
    { name: 'Fast', memory: 8e9 },
    { name: 'Old', memory: null },
  ];
  const states: DeviceState[] = [
    { device: 'cpu', trouble: null, hardware: [processor], half_precision: false },
    { device: 'webgpu', trouble: null, hardware: [gpu, old], half_precision: true },
    { device: 'cuda', trouble: 'there is no CUDA', hardware: [], half_precision: false },
  ];
  expect(formatDevices(states).split('\n')).toEqual([
    expect.stringMatching(/^cpu +Cores \(24 GB\) +can be used$/),
    expect.stringMatching(/^webgpu +Fast \(8 GB\), Old +can be used, also in half precision$/),
    expect.stringMatching(/^cuda +there is no CUDA$/),
  ]);
});

it('suggests commands to begin with', () => {
  const text = formatSuggested(suggestedModels, plain);
  for (const { name, unit } of suggestedModels.text)
    expect(text).toContain(`superstim text --model ${name} --unit ${unit}`);
});
