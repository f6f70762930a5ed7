import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hasFound } from './keep-found.js';

it('has found nothing while the only checkpoint is the one before the first turn', () => {
  const run = mkdtempSync(join(tmpdir(), 'found-'));
  const checkpoint = (evaluations: number) =>
    writeFileSync(join(run, 'checkpoint.json'), JSON.stringify({ version: 1, evaluations }));
  checkpoint(0);
  expect(hasFound(run)).toBe(false);
  checkpoint(1);
  expect(hasFound(run)).toBe(true);
  rmSync(run, { recursive: true });
});
