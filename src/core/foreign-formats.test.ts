import { expect, it } from 'vitest';
import { foreignFormat } from './foreign-formats.js';

it('names the first foreign file, and the way from there', () => {
  expect(foreignFormat(['a/config.json', 'a/Model.PTH', 'a/b.gguf'])).toMatch(
    /^Model\.PTH is a checkpoint of PyTorch, which is not read: write its tensors as safetensors, /,
  );
  expect(foreignFormat(['model.keras'])).toContain('--input_format=keras_keras FILE');
  expect(foreignFormat(['model.safetensors', 'pth'])).toBe(null);
});
