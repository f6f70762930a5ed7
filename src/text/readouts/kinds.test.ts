import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textUnits } from '../../../test/helpers/arbitrary-units.js';
import { UsageError } from '../../core/errors.js';
import { formatUnit, parseUnit, type TextUnit } from './kinds.js';

describe('unit names', () => {
  it('are put together and taken apart again', () => {
    fc.assert(
      fc.property(textUnits, (unit) => {
        expect(parseUnit(formatUnit(unit))).toEqual(unit);
      }),
      { numRuns: 1000 },
    );
  });

  it.each<[string, TextUnit]>([
    ['L5.H1', { kind: 'head', layer: 5, head: 1 }],
    ['L3.N1000', { kind: 'neuron', layer: 3, neuron: 1000, side: 'post' }],
    ['L3.N1000:pre', { kind: 'neuron', layer: 3, neuron: 1000, side: 'pre' }],
    ['L5.D:a#b.safetensors#happy', { kind: 'direction', layer: 5, file: 'a#b.safetensors', name: 'happy' }],
    ['sae:a/b#c.npz#345', { kind: 'latent', path: 'a/b#c.npz', place: null, index: 345 }],
    [
      'sae:a@b@blocks.2.attn.hook_z#3',
      { kind: 'latent', path: 'a@b', place: 'blocks.2.attn.hook_z', index: 3 },
    ],
    ['logit: Paris', { kind: 'logit', token: ' Paris' }],
    ['logit:4', { kind: 'logit', token: '4' }],
    ['blocks.5.attn.hook_result[1]', { kind: 'head', layer: 5, head: 1 }],
    ['blocks.3.mlp.hook_post[1000]', { kind: 'neuron', layer: 3, neuron: 1000, side: 'post' }],
    ['blocks.3.mlp.hook_pre[7]', { kind: 'neuron', layer: 3, neuron: 7, side: 'pre' }],
  ])('%s', (name, expected) => {
    expect(parseUnit(name)).toEqual(expected);
  });

  it.each([
    '',
    'L5',
    'L5H1',
    'L5.H',
    'L5.H1 ',
    'L5.H1:3',
    'L-1.H1',
    'L5.H1.5',
    'L3.N4:post',
    'L5.D:file.safetensors',
    'L5.D:#name',
    'logit:',
    'conv:1',
    'blocks.5.attn.hook_result',
    'blocks.5.attn.hook_z[1]',
    `L${'9'.repeat(400)}.H1`,
  ])('%j is refused', (name) => {
    expect(() => parseUnit(name)).toThrow(UsageError);
    expect(() => parseUnit(name)).toThrow(/names no unit: wanted is L5\.H1/);
  });
});
