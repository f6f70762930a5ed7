/**
 * The seed cases of `superstim image`, beside eager tfjs-node, PyTorch and another version (a checkout that is built), in
 * turn in one run.
 *
 *   npm run build && SUPERSTIM_PYTHON=python3 NODE_PATH=…/node_modules npx tsx bench/image/index.ts [--rounds 3] \
 *     [--before CHECKOUT] [--only CASE]
 *
 * (a) 20 steps of normalized ascent from noise at 300 px on a VGG19-sized network, block4_conv1:4
 * (b) 30 steps from black, each a frame, at 299 px on an InceptionV3-sized one, mixed3:1
 *
 * A time is a whole render, compiling included, weights already in memory; that of round 0 is the first of its program, and not among those
 * that are compared. Last, each through the built command, which also reads the weights, writes the run folder and, for (b), a GIF
 * of 31 frames.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { childContestant, contest } from '../contest.js';
import { cases } from './cases.js';
import { networkFile } from './networks.js';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    before: { type: 'string' },
    only: { type: 'string' },
  },
});

const chosen = Object.entries(cases).filter(([name]) => !flags.only || name === flags.only);
if (chosen.length === 0) throw new Error(`--only is one of ${Object.keys(cases).join(', ')}`);

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const here = fileURLToPath(new URL('../..', import.meta.url));
const renders = (checkout: string, engine: string) =>
  childContestant(process.execPath, ['--import', 'tsx', script('render-case.ts'), checkout, engine]);

function hasTensorflow(): boolean {
  try {
    createRequire(import.meta.url).resolve('@tensorflow/tfjs-node');
    return true;
  } catch {
    return false;
  }
}

const children = new Map([['onnx', await renders(here, 'onnx')]]);
if (flags.before) children.set('before', await renders(flags.before, 'onnx'));
if (hasTensorflow()) children.set('tensorflow', await renders(here, 'tensorflow'));
else console.error('tensorflow is left out: NODE_PATH has no @tensorflow/tfjs-node');
const python = process.env.SUPERSTIM_PYTHON;
if (python) children.set('pytorch', await childContestant(python, [script('pytorch.py')]));
else console.error('pytorch is left out: SUPERSTIM_PYTHON names no Python');
const contestants = new Map([...children].map(([who, { contestant }]) => [who, contestant]));
await contest(
  chosen.map(([name]) => name),
  contestants,
  Number(flags.rounds),
);
for (const { stop } of children.values()) stop();

const folder = mkdtempSync(join(tmpdir(), 'superstim-bench-image-'));
for (const [name, { network, unit, start, steps, size, frames }] of chosen) {
  const command = ['image', '--model', networkFile(network), '--unit', unit, '--start', start];
  const settings = [
    '--steps',
    String(steps),
    '--size',
    String(size),
    '--param',
    'pixel',
    '--transforms',
    'none',
  ];
  const files = ['--runs', folder, '--out', join(folder, `${name}.png`)];
  const gif = frames ? ['--gif', join(folder, `${name}.gif`)] : [];
  const bin = fileURLToPath(new URL('../../dist/cli/bin.js', import.meta.url));
  const before = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [bin, ...command, ...settings, ...files, ...gif]);
  const seconds = ((performance.now() - before) / 1000).toFixed(1);
  console.log(`${name.padEnd(20)} superstim image: ${status === 0 ? `${seconds} s` : String(stderr)}`);
}
process.exit();
