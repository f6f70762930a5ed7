import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { layoutFaults, readLevels } from './check-layout.js';

test('imports upward and sideways, long files and functions, names that mean two things are reported', () => {
  const levels = readLevels(readFileSync('CONTRIBUTING.md', 'utf8'));
  const source = mkdtempSync(join(tmpdir(), 'superstim-layout-'));
  for (const [path, text] of [
    ['text.ts', "export { t } from './text/t.js';\n"],
    ['new/n.ts', ''],
    ['jobs/j.ts', "import type { t } from '../text.js';\n"],
    ['core/a.ts', "import type { b } from '../runs/b.js';\n"],
    ['runs/b.ts', "import { a } from '../core/a.js';\nimport { c } from './c.js';\n"],
    ['text/t.ts', "const v = await import('../vision/v.js');\n"],
    ['text/t.test.ts', "import { v } from '../vision/v.js';\n"],
    ['vision/v.ts', '\n'.repeat(301)],
    ['vision/v.test.ts', '\n'.repeat(302)],
    ['rl/a.ts', 'export const same = 1;\nexport type Own = 1;\n'],
    ['rl/b.ts', 'export async function* same() {}\nexport { Own } from "./a.js";\n'],
    ['cli/c.ts', `const f = () => {${'\n'.repeat(80)}};\n`],
  ] as const) {
    mkdirSync(join(source, path, '..'), { recursive: true });
    writeFileSync(join(source, path), text);
  }
  const faults = [...layoutFaults(source, levels)].sort();
  rmSync(source, { recursive: true });
  expect(faults).toEqual([
    'cli/c.ts:1 has a function of 81 lines: at most 80',
    'core/a.ts imports runs/b.js: runs is of no lower level than core',
    'jobs/j.ts imports text.js: an entry file is of no lower level than jobs',
    'new/n.ts: new has no level in CONTRIBUTING.md',
    'rl/b.ts exports same, as rl/a.ts does: one word a thing, one thing a word',
    'text/t.ts imports vision/v.js: vision is of no lower level than text',
    'vision/v.test.ts has 302 lines: at most 300',
    'vision/v.ts has 301 lines: at most 300',
  ]);
});
