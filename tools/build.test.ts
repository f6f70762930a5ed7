import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeStale } from './build.js';

test('compiled files whose source was moved go', () => {
  const root = mkdtempSync(join(tmpdir(), 'superstim-build-'));
  const files = [
    'src/a.ts',
    'src/tui/B.tsx',
    'dist/.tsbuildinfo',
    'dist/a.js',
    'dist/a.d.ts',
    'dist/tui/B.js',
  ];
  const stale = ['dist/gone.js', 'dist/gone.d.ts', 'dist/tui/old.js', 'dist/moved/c.js'];
  for (const file of [...files, ...stale]) {
    mkdirSync(join(root, file, '..'), { recursive: true });
    writeFileSync(join(root, file), '');
  }
  removeStale(join(root, 'src'), join(root, 'dist'));
  const left = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  rmSync(root, { recursive: true });
  expect(left.map(({ name }) => name).sort()).toEqual([
    '.tsbuildinfo',
    'B.js',
    'B.tsx',
    'a.d.ts',
    'a.js',
    'a.ts',
  ]);
});
