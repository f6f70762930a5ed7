import fc from 'fast-check';
import { expect, it } from 'vitest';
import { index } from '../../test/helpers/arbitrary-units.js';
import { UsageError } from '../core/errors.js';
import { type ChannelUnit, formatChannel, parseChannel } from './channel-unit.js';

const channels: fc.Arbitrary<ChannelUnit> = fc.record({
  kind: fc.constant('channel' as const),
  layer: fc.stringMatching(/^[a-zA-Z0-9_./-]+$/).filter((name) => !/^L\d+\.|^logit$|^sae$/.test(name)),
  channel: index,
  position: fc.option(fc.oneof(fc.record({ row: index, column: index }), fc.constant('cls' as const))),
});

it('names of channels are put together and taken apart again', () => {
  fc.assert(
    fc.property(channels, (unit) => {
      expect(parseChannel(formatChannel(unit))).toEqual(unit);
    }),
  );
  const mixed = { kind: 'channel', layer: 'mixed3', channel: 1, position: { row: 7, column: 5 } };
  expect(parseChannel('mixed3:1@7,5')).toEqual(mixed);
});

it.each(['', 'conv:x', 'conv:1@2', 'two words:1', 'L5.H1', 'L3.N1000:1', 'logit:4'])(
  '%j is no channel',
  (name) => {
    expect(() => parseChannel(name)).toThrow(UsageError);
    expect(() => parseChannel(name)).toThrow(/names no unit: wanted is layer:4/);
  },
);
