/**
 * The seed cases of `superstim image`, beside eager tfjs-node and PyTorch, in turn in one run.
 *
 *   npm run build && SUPERSTIM_PYTHON=python3 NODE_PATH=…/node_modules npx tsx bench/image/index.ts [--rounds 3]
 *
 * (a) 20 steps of normalized ascent from noise at 300 px on a VGG19-sized network, block4_conv1:4
 * (b) 30 steps from black, each a frame, at 299 px on an InceptionV3-sized one, mixed3:1
 *
 * A time is a whole render, compiling included, weights already in memory. Last, each through the built command, which
 * also reads the weights, writes the run folder and, for (b), a GIF of 31 frames.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { EngineName } from '../../src/engine/compile.js';
import { finishRun } from '../../src/runs/events.js';
import { parseExpression } from '../../src/vision/objectives/parse.js';
import { openVisionNetwork } from '../../src/vision/open.js';
import { renderUnits } from '../../src/vision/render/render.js';
import { type Contestant, contest, pythonContestant } from '../contest.js';
import { networkFile } from './networks.js';

const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } });

const cases = {
  'vgg19-noise': {
    network: 'vgg19',
    unit: 'block4_conv1:4',
    start: 'noise',
    steps: 20,
    size: 300,
    frames: false,
  },
  'inception-black': {
    network: 'inception_v3',
    unit: 'mixed3:1',
    start: 'black',
    steps: 30,
    size: 299,
    frames: true,
  },
} as const;
type CaseName = keyof typeof cases;

const networks = new Map(
  Object.values(cases).map(({ network }) => [network, openVisionNetwork(networkFile(network))]),
);

function ours(engine: EngineName): Contestant {
  return async (name) => {
    const { network, unit, start, steps, size, frames } = cases[name as CaseName];
    const before = performance.now();
    const run = renderUnits({
      network: networks.get(network)!,
      units: [parseExpression(unit)],
      parameterization: 'pixel',
      transforms: [],
      ...{ start, steps, size, engine },
      ...(frames && { frameEvery: 1, saveFrame: async (step: number) => `${step}.png` }),
    });
    await finishRun(run);
    return performance.now() - before;
  };
}

const contestants = new Map<string, Contestant>([['onnx', ours('onnx')]]);
try {
  await ours('tensorflow')('vgg19-noise');
  contestants.set('tensorflow', ours('tensorflow'));
} catch (error) {
  console.error(`tensorflow is left out: ${(error as Error).message}`);
}
const python = process.env.SUPERSTIM_PYTHON;
const torch = python
  ? await pythonContestant(python, fileURLToPath(new URL('pytorch.py', import.meta.url)))
  : undefined;
if (torch) contestants.set('pytorch', torch.contestant);
else console.error('pytorch is left out: SUPERSTIM_PYTHON names no Python');
await contest(Object.keys(cases), contestants, Number(flags.rounds));
torch?.stop();

const folder = mkdtempSync(join(tmpdir(), 'superstim-bench-image-'));
for (const [name, { network, unit, start, steps, size, frames }] of Object.entries(cases)) {
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
