import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textUnits } from '../../../test/helpers/arbitrary-units.js';
import { UsageError } from '../../core/errors.js';
import { formatUnit, parseUnit } from './kinds.js';
import { formatUnitSum, parseUnitSum, type UnitSum } from './unit-sum.js';

const weight = fc.oneof(
  fc.constantFrom(1, -1),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((x) => x !== 0),
);
const sums: fc.Arbitrary<UnitSum> = fc.uniqueArray(fc.record({ weight, unit: textUnits }), {
  minLength: 1,
  maxLength: 5,
  selector: (term) => formatUnit(term.unit),
});

const parse = (name: string) => parseUnitSum(name, parseUnit);
const terms = (name: string) => parse(name).map(({ weight, unit }) => [weight, formatUnit(unit)]);

describe('sums of units', () => {
  it('are put together and taken apart again', () => {
    fc.assert(
      fc.property(sums, (sum) => {
        expect(parse(formatUnitSum(sum))).toEqual(sum);
      }),
      { numRuns: 1000 },
    );
  });

  /** What `superstim units` and the docs list, and names of files with signs in them. */
  const plain = [
    ...['L5.H1', 'L3.N1000', 'L3.N1000:pre', 'L4.E3', 'L4.E3:weight', 'L4.E3.N10'],
    ...['sae:books-lm#17', 'sae:org/name/a-b_c@blocks.2.hook_resid_post#5', 'sae:a+b (1)#3'],
    ...[
      'gemma-2-2b/20-gemmascope-res-16k/1234',
      '2b/20-res/1',
      'L5.D:my file.safetensors#happy',
      'logit: Paris',
    ],
  ];
  const joined = fc
    .record({
      names: fc.uniqueArray(fc.constantFrom(...plain), { minLength: 1 }),
      lead: fc.constantFrom('', '-', '2*', '-2*'),
      sign: fc.constantFrom(' + ', ' - ', '+', '-'),
      factor: fc.constantFrom('', '3*'),
    })
    .map(({ names: [first, ...rest], lead, sign, factor }) => ({
      text: lead + [first, ...rest.map((name) => factor + name)].join(sign),
      names: [first, ...rest],
    }));

  it('read each name as it stands, at any place, with signs and factors', () => {
    fc.assert(
      fc.property(joined, ({ text, names }) => {
        expect(terms(text).map(([, name]) => name)).toEqual(names);
      }),
      { numRuns: 1000 },
    );
  });

  it.each<[string, [number, string][], string?]>([
    ['L5.H1', [[1, 'L5.H1']]],
    ['-L3.N10', [[-1, 'L3.N10']]],
    [
      'L5.H1 + 0.5*L6.N20 - L5.H2',
      [
        [1, 'L5.H1'],
        [0.5, 'L6.N20'],
        [-1, 'L5.H2'],
      ],
    ],
    [
      'L5.H1+L3.N7:pre*2',
      [
        [1, 'L5.H1'],
        [2, 'L3.N7:pre'],
      ],
      'L5.H1 + 2*L3.N7:pre',
    ],
    [
      '-2*(L5.H1 - L6.N3) + L5.H1',
      [
        [-1, 'L5.H1'],
        [2, 'L6.N3'],
      ],
      '-L5.H1 + 2*L6.N3',
    ],
    [
      'blocks.5.attn.hook_result[1] - L1.H2',
      [
        [1, 'L5.H1'],
        [-1, 'L1.H2'],
      ],
      'L5.H1 - L1.H2',
    ],
    // No sum, but a name: signs and spaces are the token's.
    ['logit: a + b', [[1, 'logit: a + b']]],
    ['"logit: + L5.H1"', [[1, 'logit: + L5.H1']], 'logit: + L5.H1'],
    ['"logit: a + L5.H1"', [[1, 'logit: a + L5.H1']], '"logit: a + L5.H1"'],
    ['-logit: Paris', [[-1, 'logit: Paris']], '-"logit: Paris"'],
    [
      '"logit: Paris" - L5.H1',
      [
        [1, 'logit: Paris'],
        [-1, 'L5.H1'],
      ],
    ],
    [
      'L5.H1 - 3*L2.D:my file.safetensors#happy',
      [
        [1, 'L5.H1'],
        [-3, 'L2.D:my file.safetensors#happy'],
      ],
      'L5.H1 - 3*"L2.D:my file.safetensors#happy"',
    ],
  ])('%s', (name, expected, canonical = name) => {
    expect(terms(name)).toEqual(expected);
    expect(formatUnitSum(parse(name))).toBe(canonical);
  });

  it.each([
    ['L5.H1 +', /at its end: a unit is missing/],
    ['L5.H1 L5.H2', /cannot be read at "L5\.H2": an operator was expected/],
    ['2', /a number alone/],
    ['L5.H1 + 2', /at its end: a number that is added to units changes nothing/],
    ['L5.H1*L5.H2', /a unit can be multiplied by numbers only/],
    ['L5.H1 - L5.H1', /L5\.H1 with the factor 0/],
    ['(L5.H1 + L5.H2', /a "\)" is missing/],
    ['-', /a unit is missing/],
    ['"\\x" + L5.H1', /is no text in double quotes/],
  ])('%s is refused', (name, words) => {
    expect(() => parse(name)).toThrow(UsageError);
    expect(() => parse(name)).toThrow(words);
  });
});
