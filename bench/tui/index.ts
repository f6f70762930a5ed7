/**
 * What the terminal UI costs and how fast it answers, the built program in a pseudo-terminal.
 *
 *   npx tsx bench/tui/index.ts [--unit L2.H5] [--evaluations 6000] [--rounds 4] [--json FILE]
 *
 * - live: the same search with and without `--tui`, in turn; seconds of the search, and frames drawn a second
 * - open: time to the first whole screen of long runs, and from a key to the redraw
 * - edit: from a key to the figures of the changed text
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureEdits } from './edit.js';
import { measureLive } from './live.js';
import { longRuns } from './long-runs.js';
import { measureOpening } from './open.js';

const { values: flags } = parseArgs({
  options: {
    unit: { type: 'string', default: 'L2.H5' },
    evaluations: { type: 'string', default: '6000' },
    rounds: { type: 'string', default: '4' },
    json: { type: 'string' },
  },
});

const folder = mkdtempSync(join(tmpdir(), 'superstim-bench-tui-'));
try {
  const live = await measureLive(folder, flags.unit, Number(flags.evaluations), Number(flags.rounds));
  console.table({
    'search alone, s': live.plain,
    'with --tui, s': live.tui,
    'slowdown, %': live.slowdown,
    'frames a second': live.framesPerSecond,
  });
  const opened: Record<string, Awaited<ReturnType<typeof measureOpening>>> = {};
  for (const [name, path] of Object.entries(longRuns(folder))) opened[name] = await measureOpening(path);
  console.table(opened);
  const edit = await measureEdits(live.run);
  console.table({ 'key to new figures, ms': edit });
  if (flags.json) writeFileSync(flags.json, `${JSON.stringify({ live, opened, edit }, null, 1)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
