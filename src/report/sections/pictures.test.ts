import { describe, expect, it } from 'vitest';
import { emptyView } from '../../runs/run-view.js';
import { activationSeries } from './pictures.js';

describe('activationSeries', () => {
  it('has the steps whose activation is known', () => {
    const result = { activation: { start: 1, final: 5, curve: [1, null, null, 4, 5] } };
    const { steps, values } = activationSeries({ result, view: emptyView });
    expect([steps, values]).toEqual([
      [0, 3, 4],
      [1, 4, 5],
    ]);
  });
});
