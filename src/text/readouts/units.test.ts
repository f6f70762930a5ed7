import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../core/errors.js';
import { parseConfig } from '../lm/config.js';
import { formatUnit } from './kinds.js';
import { parseTextUnit } from './units.js';

const spec = parseConfig(
  {
    model_type: 'llama',
    hidden_size: 64,
    intermediate_size: 172,
    num_hidden_layers: 5,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    vocab_size: 512,
    max_position_embeddings: 512,
  },
  'config.json',
);

describe('parseTextUnit', () => {
  it('accepts exactly the heads and neurons that the model has', () => {
    const within = (layer: number, index: number, count: number) => layer < spec.layers && index < count;
    fc.assert(
      fc.property(fc.nat(8), fc.nat(300), fc.constantFrom('H', 'N'), (layer, index, letter) => {
        const name = `L${layer}.${letter}${index}`;
        if (within(layer, index, letter === 'H' ? spec.heads : spec.dMlp))
          expect(formatUnit(parseTextUnit(name, spec))).toBe(name);
        else expect(() => parseTextUnit(name, spec)).toThrow(UsageError);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['L5.H1', 'L5.H1 is outside this model: its layers are numbered 0 to 4'],
    ['blocks.4.attn.hook_result[8]', 'L4.H8 is outside this model: its heads are numbered 0 to 7'],
    ['L4.N172:pre', 'L4.N172:pre is outside this model: its neurons are numbered 0 to 171'],
    ['L7.D:f.safetensors#a', 'L7.D:f.safetensors#a is outside this model: its layers are numbered 0 to 4'],
  ])('refuses %s', (name, message) => {
    expect(() => parseTextUnit(name, spec)).toThrow(new UsageError(message));
  });

  it.each(['L2H3', 'conv1:4', ''])('says what the model has instead of "%s"', (name) => {
    expect(() => parseTextUnit(name, spec)).toThrow(
      /names no unit of this model: it has heads L0\.H0 to L4\.H7, neurons L0\.N0 to L4\.N171/,
    );
  });

  it('leaves tokens and files of directions to be looked up', () => {
    expect(parseTextUnit('logit: Paris', spec)).toEqual({ kind: 'logit', token: ' Paris' });
    expect(parseTextUnit('L4.D:none.safetensors#x', spec)).toMatchObject({ file: 'none.safetensors' });
  });
});
