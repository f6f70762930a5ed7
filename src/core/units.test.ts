import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { index, textUnits } from '../../test/helpers/arbitrary-units.js';
import { UsageError } from './errors.js';
import { formatUnit, parseUnit, type Unit } from './units.js';

const units: fc.Arbitrary<Unit> = fc.oneof(
  textUnits,
  fc.record({
    kind: fc.constant('channel' as const),
    layer: fc.stringMatching(/^[a-zA-Z0-9_./-]+$/).filter((name) => !/^L\d+\.|^logit$/.test(name)),
    channel: index,
    position: fc.option(fc.record({ row: index, column: index })),
  }),
);

describe('unit names', () => {
  it('are put together and taken apart again', () => {
    fc.assert(
      fc.property(units, (unit) => {
        expect(parseUnit(formatUnit(unit))).toEqual(unit);
      }),
      { numRuns: 1000 },
    );
  });

  it.each<[string, Unit]>([
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
    ['block4_conv1:4', { kind: 'channel', layer: 'block4_conv1', channel: 4, position: null }],
    ['mixed3:1@7,5', { kind: 'channel', layer: 'mixed3', channel: 1, position: { row: 7, column: 5 } }],
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
    'conv:x',
    'conv:1@2',
    'two words:1',
    'blocks.5.attn.hook_result',
    'blocks.5.attn.hook_z[1]',
    `L${'9'.repeat(400)}.H1`,
  ])('%j is refused', (name) => {
    expect(() => parseUnit(name)).toThrow(UsageError);
    expect(() => parseUnit(name)).toThrow(/names no unit: wanted is L5\.H1/);
  });
});
