import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../core/errors.js';
import type { ChannelUnit } from '../channel-unit.js';
import { type Expression, formatExpression } from './expression.js';
import { parseExpression } from './parse.js';

const layer = fc.oneof(
  fc.constantFrom(
    'mixed3',
    'block4_conv1',
    'features.10',
    'layer1.0/relu',
    'conv2d-1',
    'tv',
    'logit',
    'top (relu)',
  ),
  fc.string({ minLength: 1, maxLength: 12 }),
);
const index = fc.nat({ max: 4095 });
const unit: fc.Arbitrary<ChannelUnit> = fc.record({
  kind: fc.constant('channel' as const),
  layer,
  channel: index,
  position: fc.option(fc.oneof(fc.record({ row: index, column: index }), fc.constant('cls' as const))),
});
const word = fc.stringMatching(/^[a-z][a-z0-9_./]{0,10}$/);
const term: fc.Arbitrary<Expression> = fc.oneof(
  fc.record({ kind: fc.constantFrom('unit' as const, 'neuron' as const), unit }),
  fc.record({ kind: fc.constantFrom('deepdream' as const, 'diversity' as const), layer }),
  fc.record({ kind: fc.constant('direction' as const), layer, file: word, name: word }),
  fc.record({ kind: fc.constant('logit' as const), index }),
  fc.record({
    kind: fc.constant('penalty' as const),
    name: fc.constantFrom('tv' as const, 'l1' as const, 'l2' as const),
  }),
  fc.record({
    kind: fc.constant('number' as const),
    value: fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
  }),
);
const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small' },
    term,
    fc.record({ kind: fc.constant('negative' as const), of: tie('expression') }),
    fc.record({
      kind: fc.constantFrom('add' as const, 'subtract' as const, 'multiply' as const),
      left: tie('expression'),
      right: tie('expression'),
    }),
  ),
}));

const channel = (layer: string, channel: number): Expression => ({
  kind: 'unit',
  unit: { kind: 'channel', layer, channel, position: null },
});

describe('parseExpression', () => {
  it('gives back what formatExpression wrote', () => {
    fc.assert(
      fc.property(expression, (e) => {
        expect(parseExpression(formatExpression(e))).toEqual(e);
      }),
      { numRuns: 500 },
    );
  });

  it('fails with a UsageError or not at all', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseExpression(text);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });

  it('reads sums with the usual precedence, spaces or none', () => {
    const expected: Expression = {
      kind: 'subtract',
      left: { kind: 'multiply', left: { kind: 'number', value: 0.5 }, right: channel('mixed3', 1) },
      right: channel('mixed3', 5),
    };
    expect(parseExpression('0.5*mixed3:1 - mixed3:5')).toEqual(expected);
    expect(parseExpression('0.5*mixed3:1-mixed3:5')).toEqual(expected);
    expect(parseExpression('-mixed3:5')).toEqual({ kind: 'negative', of: channel('mixed3', 5) });
  });

  it('says where it stopped making sense', () => {
    expect(() => parseExpression('mixed3')).toThrow(/"mixed3" cannot be read at "mixed3": wanted is layer:4/);
    expect(() => parseExpression('mixed3:1 +')).toThrow(/at its end/);
    expect(() => parseExpression('(mixed3:1')).toThrow(/a "\)" is missing/);
    expect(() => parseExpression('mixed3:1 mixed3:2')).toThrow(/at "mixed3:2": an operator/);
  });
});
