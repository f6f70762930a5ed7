import { expect, it } from 'vitest';
import { SampleTemperature } from './sample-temperature.js';

/** Where it goes if a share of the samples that rises by 1 a unit of coldness are repeats. */
function settled(repeatsAt: (temperature: number) => number): number {
  const temperature = new SampleTemperature();
  for (let i = 0, due = 0; i < 2000; i++) {
    due += repeatsAt(temperature.value);
    const isNew = due < 1;
    if (!isNew) due -= 1;
    temperature.learn(isNew);
  }
  return temperature.value;
}

it('settles where a third of the samples are repeats', () => {
  expect(new SampleTemperature().value).toBe(1);
  expect(settled((t) => Math.max(0, 1.6 - t))).toBeCloseTo(1.6 - 1 / 3, 1);
});

it('stays within its range', () => {
  expect(settled(() => 0)).toBeCloseTo(0.5, 6);
  expect(settled(() => 1)).toBeCloseTo(2, 6);
});
