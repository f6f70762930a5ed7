/**
 * Seconds from the start of `superstim image` to its first step on a VGG19, at the seed case's unit with the command's
 * defaults, of two versions in turn. The hash of the weights is kept: each version runs once before it is timed.
 *
 *   npm run build && npx tsx bench/image/first-step.ts BEFORE [--rounds 9]
 *
 * BEFORE is a checkout of another version, built. The step is seen when its event is in the run folder.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cases } from './cases.js';
import { networkFile } from './networks.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '9' } },
});
const [before] = positionals;
if (before === undefined) throw new Error('name a checkout of the version before');
const here = fileURLToPath(new URL('../..', import.meta.url));
const { network, unit } = cases['vgg19-noise'];
const model = networkFile(network);

async function firstStep(checkout: string): Promise<number> {
  const runs = mkdtempSync(join(tmpdir(), 'superstim-first-step-'));
  const began = performance.now();
  const command = [join(checkout, 'dist/cli/bin.js'), 'image', '--model', model, '--unit', unit];
  const child = spawn(process.execPath, [...command, '--runs', runs], { stdio: 'ignore' });
  const hasStep = () => {
    const [folder] = readdirSync(runs);
    const log = folder && join(runs, folder, 'events.jsonl');
    return log && existsSync(log) && readFileSync(log, 'utf8').includes('"kind":"step"');
  };
  while (!hasStep()) {
    if (child.exitCode !== null) throw new Error(`the command ended with ${child.exitCode}`);
    await sleep(5);
  }
  const seconds = (performance.now() - began) / 1000;
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  rmSync(runs, { recursive: true });
  return Number(seconds.toFixed(2));
}

const seconds: Record<string, number[]> = { ours: [], theirs: [] };
for (const checkout of [here, before]) await firstStep(checkout);
for (let round = 0; round < Number(flags.rounds); round++) {
  seconds.ours!.push(await firstStep(here));
  seconds.theirs!.push(await firstStep(before));
}
console.log(JSON.stringify(seconds));
