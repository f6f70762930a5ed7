import { beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../core/errors.js';
import { embeddedFolder } from '../../hub/embedded.js';
import { loadTextModel } from '../lm/model.js';
import type { UnitContext } from '../readouts/kind.js';
import { unitContext } from '../readouts/units.js';
import { exampleOf, matcher, unitSets } from './unit-pattern.js';

let context: UnitContext;
beforeAll(async () => {
  context = unitContext(await loadTextModel(`${embeddedFolder}/books-lm`), 'delta');
});

const names = (...patterns: string[]) =>
  unitSets(patterns, context).flatMap(({ group, indices }) => indices.map((i) => group.unit(i).name));

describe('unitSets', () => {
  it('takes stars, ranges and names, each unit once', () => {
    expect(names('L*.H*')).toHaveLength(32);
    expect(names('L1.H2-3')).toEqual(['L1.H2', 'L1.H3']);
    expect(names('L0-1.H7', 'L1.H*', 'L1.H7').sort()).toEqual(
      ['L0.H7', ...Array.from({ length: 8 }, (_, i) => `L1.H${i}`)].sort(),
    );
    expect(names('L2.N*')).toHaveLength(512);
    expect(names('L2.N5-6:pre')).toEqual(['L2.N5:pre', 'L2.N6:pre']);
    expect(names('logit: the')).toEqual(['logit: the']);
  });

  it('refuses what no unit matches, also beside what some do', () => {
    expect(() => names('L*.H*', 'L9.N*')).toThrow(
      new UsageError('"L9.N*" matches no unit of this model; "superstim units" lists what it has'),
    );
    expect(() => names('L9.H1')).toThrow(UsageError);
  });
});

describe('matcher', () => {
  it('takes numbers alone for stars', () => {
    const matches = matcher('L*.N3-12');
    expect(['L0.N3', 'L11.N12', 'L1.N13', 'L1.N2', 'L1.N3:pre', 'Lx.N3'].map(matches)).toEqual([
      ...[true, true, false, false, false, false],
    ]);
  });
});

describe('exampleOf', () => {
  it('names one unit, and leaves numbers in paths alone', () => {
    expect(exampleOf('L*.H*')).toBe('L0.H0');
    expect(exampleOf('sae:gemma-2-2b/x#*')).toBe('sae:gemma-2-2b/x#0');
    expect(exampleOf('gemma-2-2b/20-gemmascope-res-16k/10-99')).toBe('gemma-2-2b/20-gemmascope-res-16k/10');
    expect(exampleOf('gemma-2-2b/20-gemmascope-res-16k/7')).toBe('gemma-2-2b/20-gemmascope-res-16k/7');
  });
});
