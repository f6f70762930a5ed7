/** Calibration of all units at once against each group alone, and its errors. */
import { describe, expect, it } from 'vitest';
import { relativeError } from '../../../test/helpers/compare.js';
import { calibrationOn, randomModel, subjectOf, tinyConfigs } from '../../../test/helpers/random-model.js';
import { Random } from '../../core/random.js';
import { Calibration } from './calibration.js';
import { DirectionGroup } from './direction.js';
import { allGroups } from './kinds.js';
import { RunningMoments } from './running-moments.js';

const positions = 7;

describe('calibration', () => {
  it.each(['llama', 'gpt2'] as const)(
    'counts all units of a %s at once as each group alone',
    async (family) => {
      const model = randomModel(tinyConfigs[family]);
      const { layers, vocab } = model.spec;
      const random = new Random(5);
      const rows = Int32Array.from({ length: 70 * positions }, (_, i) =>
        i % positions === 0 ? 0 : random.integer(vocab),
      );
      const groups = allGroups({ spec: model.spec, measure: 'delta', tokenId: () => null });
      expect(groups).toHaveLength(3 * layers);
      const together = calibrationOn(model, rows, positions);
      const notes: string[] = [];
      for await (const event of together.prepare(groups)) if ('note' in event) notes.push(event.note!);
      // Two batches for the means, two for the rest, and a word before each pass.
      expect(notes).toHaveLength(2 * 3);
      const alone = calibrationOn(model, rows, positions);
      for (const group of groups) {
        const found = await together.statistics(group);
        const expected = await alone.statistics(group);
        expect(Object.keys(found)).toEqual(Object.keys(expected));
        for (const [name, values] of Object.entries(expected))
          expect(relativeError(found[name as 'mean']!, values), `${group.key} ${name}`).toBeLessThan(1e-5);
      }
    },
  );

  it('gives the standard errors that sequences have as wholes', () => {
    const random = new Random(9);
    const [sequences, length] = [40, 6];
    const rows = Array.from({ length: sequences }, () => {
      const shared = 50 + 3 * random.normal();
      return Array.from({ length }, () => shared + random.normal());
    });
    const moments = new RunningMoments(1, length);
    for (const row of rows) {
      const mean = row.reduce((sum, x) => sum + x, 0) / length;
      moments.add([mean], [row.reduce((sum, x) => sum + (x - mean) ** 2, 0)], [Math.max(...row)]);
    }
    const { mean, deviation, meanError, deviationError } = moments.result();
    const errorOf = (values: readonly number[]) => {
      const middle = values.reduce((sum, x) => sum + x, 0) / sequences;
      const squares = values.reduce((sum, x) => sum + (x - middle) ** 2, 0);
      return Math.sqrt(squares / (sequences - 1) / sequences);
    };
    const average = (of: (x: number) => number) =>
      rows.map((row) => row.reduce((sum, x) => sum + of(x), 0) / length);
    expect(meanError![0]).toBeCloseTo(errorOf(average((x) => x)), 5);
    const variances = errorOf(average((x) => (x - mean[0]!) ** 2));
    expect(deviationError![0]).toBeCloseTo(variances / (2 * deviation[0]!), 5);
  });

  it('gives a unit that never moves a deviation of 1', async () => {
    const model = randomModel(tinyConfigs.llama);
    const text = { ids: new Int32Array(2 * positions), positions, source: 'corpus', key: 'zeros' } as const;
    const calibration = new Calibration({ subject: subjectOf(model), text: async () => text });
    const vector = new Float32Array(model.spec.dModel);
    const { mean, deviation } = await calibration.statistics(new DirectionGroup('zero', 1, vector));
    expect([mean[0], deviation[0]]).toEqual([0, 1]);
  });
});
