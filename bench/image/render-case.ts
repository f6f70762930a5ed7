/**
 * Renders the seed cases with the built code of a checkout, timed in turn with the others: reads the name of one case per line, renders
 * it once, answers with milliseconds, as `pytorch.py` does. Libraries are loaded before, as PyTorch is.
 *
 *   npx tsx bench/image/render-case.ts CHECKOUT ENGINE
 */
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { pathToFileURL } from 'node:url';
import type * as Worker from '../../src/engine/backends/worker-client.js';
import type * as Tfjs from '../../src/engine/functions/load-tfjs.js';
import type * as Events from '../../src/runs/events.js';
import type * as Parse from '../../src/vision/objectives/parse.js';
import type * as Open from '../../src/vision/open.js';
import type * as Render from '../../src/vision/render/render.js';
import { type CaseName, cases } from './cases.js';
import { networkFile } from './networks.js';

const [checkout = '.', engine = 'onnx'] = process.argv.slice(2);
const load = (file: string) => import(pathToFileURL(join(resolve(checkout), 'dist', file)).href);
const { finishRun } = (await load('runs/events.js')) as typeof Events;
const { parseExpression } = (await load('vision/objectives/parse.js')) as typeof Parse;
const { openVisionNetwork } = (await load('vision/open.js')) as typeof Open;
const { renderUnits } = (await load('vision/render/render.js')) as typeof Render;

((await load('engine/functions/load-tfjs.js')) as typeof Tfjs).loadTfjs();
((await load('engine/backends/worker-client.js')) as typeof Worker).warmUp();

const networks = new Map(
  Object.values(cases).map(({ network }) => [network, openVisionNetwork(networkFile(network))]),
);

async function render(name: CaseName): Promise<number> {
  const { network, unit, start, steps, size, frames } = cases[name];
  const before = performance.now();
  const run = renderUnits({
    network: networks.get(network)!,
    units: [parseExpression(unit)],
    parameterization: 'pixel',
    transforms: [],
    start,
    steps,
    size,
    engine: engine as 'onnx',
    ...(frames && { frameEvery: 1, saveFrame: async (step: number) => `${step}.png` }),
  });
  await finishRun(run);
  return performance.now() - before;
}

console.log(JSON.stringify({ checkout, engine }));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify({ milliseconds: await render(line.trim() as CaseName) }));
}
process.exit();
