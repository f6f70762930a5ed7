/**
 * One command in two checkouts, in turn: seconds on the clock, processor time, peak memory, and what its result says of its
 * own cost. Both are built.
 *
 *   npx tsx bench/commands.ts OTHER_CHECKOUT REPEATS score --model DIR --unit L2.H5 --text "Once upon a time" --json
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [other, repeats, ...command] = process.argv.slice(2);
if (other === undefined || command.length === 0) throw new Error('give a checkout, a number and a command');
const checkouts = { ours: fileURLToPath(new URL('..', import.meta.url)), theirs: resolve(other) };
type Side = keyof typeof checkouts;

const folder = mkdtempSync(join(tmpdir(), 'commands-'));
const figures: Record<string, Record<Side, number[]>> = {};

function measure(side: Side): void {
  const times = join(folder, 'times');
  const program = [process.execPath, join(checkouts[side], 'dist/cli/bin.js'), ...command];
  const { stdout, status } = spawnSync('/usr/bin/time', ['-f', '%e %U %S %M', '-o', times, ...program], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${side} ended with ${status}`);
  const [clock, user, system, memory] = readFileSync(times, 'utf8').split(/\s/).map(Number) as number[];
  const { cost } = (command.includes('--json') ? JSON.parse(stdout) : {}) as { cost?: { seconds: number } };
  const seen = {
    'clock, s': clock!,
    'processor, s': user! + system!,
    'peak memory, MB': memory! / 1000,
    ...(cost && { 'cost of the result, s': cost.seconds }),
  };
  for (const [name, value] of Object.entries(seen)) {
    figures[name] ??= { ours: [], theirs: [] };
    figures[name][side].push(Math.round(value * 1000) / 1000);
  }
}

try {
  for (let i = 0; i < Number(repeats); i++)
    for (const side of i % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const))
      measure(side);
} finally {
  rmSync(folder, { recursive: true });
}
console.log(JSON.stringify(figures));
process.exit();
