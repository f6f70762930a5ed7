/** @file Units of a language model for properties of their names. */
import fc from 'fast-check';
import type { TextUnit } from '../../src/text/readouts/kinds.js';

export const index = fc.nat({ max: 999_999_999 });
const text = fc.string({ minLength: 1, unit: 'grapheme' });

export const textUnits: fc.Arbitrary<TextUnit> = fc.oneof(
  fc.record({ kind: fc.constant('head' as const), layer: index, head: index }),
  fc.record({
    kind: fc.constant('neuron' as const),
    layer: index,
    neuron: index,
    side: fc.constantFrom('pre' as const, 'post' as const),
  }),
  fc.record({
    kind: fc.constant('expert' as const),
    layer: index,
    expert: index,
    side: fc.constantFrom('logit' as const, 'weight' as const),
  }),
  fc.record({ kind: fc.constant('expertNeuron' as const), layer: index, expert: index, neuron: index }),
  fc.record({
    kind: fc.constant('direction' as const),
    layer: index,
    file: text,
    name: text.filter((name) => !name.includes('#')),
  }),
  fc.record({
    kind: fc.constant('latent' as const),
    path: text.filter((path) => !/[#@]/.test(path)),
    place: fc.constantFrom(null, 'blocks.2.hook_resid_post', 'blocks.0.attn.hook_z'),
    index,
  }),
  fc.record({ kind: fc.constant('logit' as const), token: text }),
);
