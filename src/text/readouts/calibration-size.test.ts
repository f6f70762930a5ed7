import { describe, expect, it } from 'vitest';
import { shapes } from '../../../tools/random-model.js';
import { parseConfig } from '../lm/config.js';
import { affordSequences, drawnLength, guessSequences } from './calibration-size.js';

const specOf = (name: keyof typeof shapes) => parseConfig(shapes[name], name);
const drawn = (name: keyof typeof shapes) => {
  const length = drawnLength(specOf(name));
  return { length, sequences: guessSequences(specOf(name), length) };
};

describe('how much text calibration counts over', () => {
  it('falls with the size of the model, and a large one draws many short sequences', () => {
    expect(drawn('smollm2-135m')).toEqual({ length: 64, sequences: 32 });
    expect(drawn('gemma-2-2b')).toEqual({ length: 16, sequences: 32 });
  });

  it('has the same limits in positions, whatever the length', () => {
    for (const length of [16, 64]) {
      expect(length * affordSequences(1000, length)).toBe(512);
      expect(length * affordSequences(1e-6, length)).toBe(16384);
    }
  });
});
