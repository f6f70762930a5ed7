import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { fuzz } from '../helpers/fuzz.js';
import { visionAttempts } from './vision-readers.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-fuzz-'));
afterAll(() => rmSync(place, { recursive: true }));

test.each(Object.entries(visionAttempts(place)))(
  '%s: damaged files are read right or refused in a sentence',
  async (_reader, attempt) => {
    const { right, refused, peak, faults } = await fuzz(attempt, { count: 300, seed: 1 });
    expect(faults).toEqual([]);
    expect([right, refused].every((count) => count > 10)).toBe(true);
    expect(peak).toBeLessThan(1000);
  },
);

test.each([
  ['Concat of nothing', 'onnx', 7, 202],
  ['Pack of nothing', 'tf-graph', 8, 969],
  ['a pad of four axes of a number', 'keras', 7, 139],
] as const)('%s is refused in a sentence', async (_what, reader, seed, only) => {
  expect(await fuzz(visionAttempts(place)[reader]!, { seed, only })).toMatchObject({ faults: [] });
});
