import { describe, expect, it } from 'vitest';
import { formatUnit, parseUnit } from '../readouts/kinds.js';
import { neuronpediaDictionary } from './neuronpedia.js';

describe('neuronpediaDictionary', () => {
  it.each([
    ['gemma-2-2b/20-gemmascope-res-16k', 'google/gemma-scope-2b-pt-res/layer_20/width_16k/average_l0_71'],
    [
      'gemma-2-2b/12-gemmascope-res-16k__l0-22',
      'google/gemma-scope-2b-pt-res/layer_12/width_16k/average_l0_22',
    ],
    [
      'gemma-2-9b-it/20-gemmascope-res-131k',
      'google/gemma-scope-9b-it-res/layer_20/width_131k/average_l0_81',
    ],
    ['gpt2-small/12-res-jb', 'jbloom/GPT2-Small-SAEs-Reformatted/blocks.11.hook_resid_post'],
    ['llama3.1-8b/5-llamascope-mlp-32k', 'fnlp/Llama3_1-8B-Base-LXM-8x/Llama3_1-8B-Base-L5M-8x'],
  ])('%s', (source, path) => {
    expect(neuronpediaDictionary(source).path).toBe(path);
  });

  it.each([
    ['gpt5/3-res-jb', /known models are .*gpt2-small/],
    ['gemma-2-2b/20-gemmascope-res-17k', /known sets of gemma-2-2b are gemmascope-res-\d+k, .*sae:org\/name/],
    ['gpt2-small/13-res-jb', /has the layers 0, 1, .* 11, 12$/],
    ['gpt2-small/3-res-jb__l0-4', /known sets of gpt2-small/],
  ])('%s is not known', (source, message) => {
    expect(() => neuronpediaDictionary(source)).toThrow(message);
  });
});

it('a name of Neuronpedia is a unit, and stays as it was written', () => {
  const name = 'gemma-2-2b/20-gemmascope-res-16k/1234';
  const unit = parseUnit(name);
  expect(unit).toMatchObject({ kind: 'latent', index: 1234 });
  expect(formatUnit(unit)).toBe(name);
});
