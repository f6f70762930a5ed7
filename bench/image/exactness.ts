/**
 * What steps in 8 bits change: renders of several units with them and without (`--exact`), each in turn.
 *
 *   npx tsx bench/image/exactness.ts MODEL UNIT,UNIT,… [--steps 20] [--size 300] [--seed 3] [--fft] [--out FOLDER]
 *
 * MODEL: a path, or `vgg19` or `inception_v3`, a network of that size with the weights of the formula. Prints for each unit the
 * activations at the end, exact and not, the second over the first, and seconds. By default the pixels are optimized, without
 * transforms; `--fft` is the command's own setting. `--out` keeps the pictures.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writePng } from '../../src/media/picture-files.js';
import { finishRun } from '../../src/runs/events.js';
import { parseExpression } from '../../src/vision/objectives/parse.js';
import { openVisionNetwork } from '../../src/vision/open.js';
import { renderUnits } from '../../src/vision/render/render.js';
import { networkFile } from './networks.js';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: 'string', default: '20' },
    size: { type: 'string', default: '300' },
    seed: { type: 'string', default: '3' },
    fft: { type: 'boolean', default: false },
    out: { type: 'string' },
  },
});
const [model = 'vgg19', units = 'block4_conv1:4'] = positionals;
const isMade = model === 'vgg19' || model === 'inception_v3';
const network = openVisionNetwork(isMade ? networkFile(model) : model);

async function render(unit: string, exact: boolean) {
  const run = renderUnits({
    network,
    units: [parseExpression(unit)],
    steps: Number(flags.steps),
    size: Number(flags.size),
    seed: Number(flags.seed),
    exact,
    ...(!flags.fft && { parameterization: 'pixel', transforms: [] }),
  });
  const { units, cost } = await finishRun(run);
  const [{ picture, activation }] = units as [(typeof units)[0]];
  const name = `${unit.replace(/\W/g, '-')}-${exact ? 'exact' : '8-bits'}.png`;
  if (flags.out) await writePng(join(flags.out, name), picture);
  return { final: activation.final, seconds: cost.seconds };
}

const ratios: number[] = [];
for (const unit of units.split(',')) {
  const [exact, rough] = [await render(unit, true), await render(unit, false)];
  ratios.push(rough.final / exact.final);
  const figures = [exact.final, rough.final, ratios.at(-1)!, exact.seconds, rough.seconds];
  console.log(unit.padEnd(20), figures.map((value) => value.toPrecision(4)).join('  '));
}
console.log(`mean ratio ${(ratios.reduce((a, b) => a + b) / ratios.length).toFixed(4)}`);
process.exit();
