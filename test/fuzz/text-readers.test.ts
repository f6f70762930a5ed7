import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { fuzz } from '../helpers/fuzz.js';
import { textAttempts } from './text-readers.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-fuzz-'));
afterAll(() => rmSync(place, { recursive: true }));

test.each(Object.entries(textAttempts(place)))(
  '%s: damaged files are read right or refused in a sentence',
  { timeout: 60_000 },
  async (_reader, attempt) => {
    const { right, refused, peak, faults } = await fuzz(attempt, { count: 300, seed: 1 });
    expect(faults).toEqual([]);
    expect([right, refused].every((count) => count > 10)).toBe(true);
    expect(peak).toBeLessThan(1000);
  },
);

test.each([
  ['an architecture', 'config', 326],
  ['a setting', 'config', 1331],
  ['a long name', 'config', 1333],
  ['the key of an adapter', 'peft', 65],
] as const)('%s that acts on a terminal is not shown as it is', async (_what, reader, only) => {
  expect(await fuzz(textAttempts(place)[reader]!, { seed: 9, only })).toMatchObject({ faults: [] });
});
