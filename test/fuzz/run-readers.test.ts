import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { fuzz } from '../helpers/fuzz.js';
import { runAttempts } from './run-readers.js';

const place = mkdtempSync(join(tmpdir(), 'superstim-fuzz-'));
afterAll(() => rmSync(place, { recursive: true }));

test('damaged run folders are listed, viewed and reported as far as they go', async () => {
  const { run } = await runAttempts(place);
  const { right, peak, faults } = await fuzz(run, { count: 300, seed: 1 });
  expect(faults).toEqual([]);
  expect(right).toBeGreaterThan(250);
  expect(peak).toBeLessThan(1000);
});
