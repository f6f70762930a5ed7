import { expect, it } from 'vitest';
import { suggestedModels } from '../../hub/suggested-models.js';
import type { Paint } from '../output.js';
import { formatDevices, formatModels, formatSuggested } from './models.js';

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
  const states = [
    { device: 'cpu', trouble: null },
    { device: 'webgpu', trouble: 'there is no GPU' },
  ] as const;
  expect(formatDevices(states)).toMatch(/^cpu +can be used\nwebgpu +there is no GPU$/);
});

it('suggests commands to begin with', () => {
  const text = formatSuggested(suggestedModels, plain);
  for (const { name, unit } of suggestedModels.text)
    expect(text).toContain(`superstim text --model ${name} --unit ${unit}`);
});
