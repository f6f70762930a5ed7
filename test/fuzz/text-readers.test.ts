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
