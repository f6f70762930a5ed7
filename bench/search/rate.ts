/**
 * Evaluations a second of `superstim text` in this checkout and in another, in turn, by the `progress` events of the search;
 * each program is ended when its search has ended. Both are built.
 *
 *   npx tsx bench/search/rate.ts OTHER_CHECKOUT --model DIR [--unit L15.H3] [--seconds 60] [--seeds 1,2] [--from 20]
 *     [--calibrate-on FILE]
 *
 * `after`: without the first so many seconds (`--from`), in which samples are drawn and triggers are found.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string', default: 'books-lm' },
    unit: { type: 'string', default: 'L15.H3' },
    seconds: { type: 'string', default: '60' },
    seeds: { type: 'string', default: '1,2' },
    from: { type: 'string', default: '20' },
    'calibrate-on': { type: 'string' },
  },
});
const checkouts = {
  ours: fileURLToPath(new URL('../..', import.meta.url)),
  theirs: resolve(positionals[0]!),
};

interface Progress {
  readonly kind: string;
  readonly note: string;
  /** Seconds of the run, and of the search. */
  readonly at: number;
  readonly done: number;
  readonly rate: number;
}

/** Progress of a run in a folder, as far as it is written. */
function progressIn(folder: string): Progress[] {
  const [run] = readdirSync(folder);
  const file = join(folder, run ?? '', 'events.jsonl');
  if (run === undefined || !existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as Progress).filter(({ kind }) => kind === 'progress');
}

async function measure(checkout: string, seed: string): Promise<{ rate: number; after: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'rate-'));
  const { model, unit, seconds, from } = flags;
  const file = flags['calibrate-on'];
  const program = spawn(
    process.execPath,
    [
      ...[join(checkout, 'dist/cli/bin.js'), 'text', '--quiet', '--out', folder],
      ...['--model', model, '--unit', unit, '--seconds', seconds, '--seed', seed],
      ...(file === undefined ? [] : ['--calibrate-on', file]),
    ],
    { stdio: 'ignore' },
  );
  try {
    for (;;) {
      await wait(300);
      const all = progressIn(folder);
      const search = all.filter(({ note }) => note === 'auto');
      const isOver = all.some(({ note }) => note.startsWith('samples of the prior'));
      if (program.exitCode !== null) throw new Error(`${checkout} ended with ${program.exitCode}`);
      if (!isOver) continue;
      const [first, last] = [search[0]!, search.at(-1)!];
      // `done` stops at the budget, which the last turn exceeds.
      const end = last.at - first.at + first.done;
      const middle = search.findLast(({ done }) => done <= Number(from))!;
      const after = (last.rate * end - middle.rate * middle.done) / (end - middle.done);
      return { rate: last.rate, after };
    }
  } finally {
    program.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
}

const figures = { rate: { ours: [], theirs: [] }, after: { ours: [], theirs: [] } } as Record<
  'rate' | 'after',
  Record<keyof typeof checkouts, number[]>
>;
for (const [i, seed] of flags.seeds.split(',').entries()) {
  const sides = Object.keys(checkouts) as (keyof typeof checkouts)[];
  for (const side of i % 2 === 0 ? sides : sides.reverse()) {
    const measured = await measure(checkouts[side], seed);
    for (const name of ['rate', 'after'] as const)
      figures[name][side].push(Math.round(measured[name] * 10) / 10);
  }
}
console.log(JSON.stringify(figures));
process.exit();
