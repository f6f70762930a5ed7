/**
 * Do synthetic pictures excite their channels more than any photograph? All channels of some layers.
 *
 *   npx tsx bench/image/channels.ts --model FOLDER --layers block2_conv2,block3_conv2,block4_conv2 [--steps 128]
 *     [--rate 0.05] [--size 64] [--sheets DIR]
 *
 * A picture's activation is its channel's mean over the map, averaged over 16 random jitters, not at its optimum only;
 * the rival is the largest such mean over the photographs that the statistics in the model folder were counted over.
 * With --sheets, a contact sheet of each layer is written (WebP).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { Random } from '../../src/core/random.js';
import { compile } from '../../src/engine/compile.js';
import type * as tf from '../../src/engine/functions/tfjs.js';
import { contactSheet } from '../../src/media/contact-sheet.js';
import { encodePng } from '../../src/media/picture-files.js';
import { finishRun } from '../../src/runs/events.js';
import { deadChannels, shippedChannelStatistics } from '../../src/vision/channel-statistics.js';
import type { VisionNetwork } from '../../src/vision/network.js';
import { evaluateObjective, resolveObjective } from '../../src/vision/objectives/objective.js';
import { parseExpression } from '../../src/vision/objectives/parse.js';
import { parseUnitList } from '../../src/vision/objectives/unit-list.js';
import { openVisionNetwork } from '../../src/vision/open.js';
import { preprocess } from '../../src/vision/preprocess.js';
import { renderUnits } from '../../src/vision/render/render.js';
import type { UnitResult } from '../../src/vision/render/render-options.js';
import { makeView } from '../../src/vision/transforms/view.js';

const { values: flags } = parseArgs({
  options: {
    model: { type: 'string' },
    layers: { type: 'string' },
    steps: { type: 'string', default: '128' },
    rate: { type: 'string', default: '0.05' },
    size: { type: 'string', default: '64' },
    sheets: { type: 'string' },
  },
});
if (!flags.model || !flags.layers) throw new Error('--model and --layers are needed');
const [size, steps, rate] = [Number(flags.size), Number(flags.steps), Number(flags.rate)];
const JITTERS = 16;

/** Mean activation of a unit's picture over random jitters. */
async function jittered(network: VisionNetwork, { unit, picture }: UnitResult): Promise<number> {
  const objective = resolveObjective(network, new Array(JITTERS).fill(parseExpression(unit)));
  const shape = { batch: JITTERS, height: size, width: size, channels: 3 };
  const view = makeView([{ kind: 'jitter', pixels: 8 }], shape);
  const step = await compile(
    ({ x, ...inputs }, weights) => {
      const pictures = x as tf.Tensor4D;
      const seen = preprocess(view.apply(pictures, inputs), network.input.preprocessing!);
      return { activation: evaluateObjective(objective, weights, pictures, seen).activation };
    },
    { inputs: { x: { shape: [JITTERS, size, size, 3] }, ...view.inputs }, weights: network.weights },
  );
  const x = new Float32Array(JITTERS * picture.data.length);
  for (let i = 0; i < JITTERS; i++) x.set(picture.data, i * picture.data.length);
  const { activation } = await step.run({ x, ...view.draw(Random.of(0, unit)) });
  step.dispose();
  return (activation as Float32Array).reduce((a, b) => a + b, 0) / JITTERS;
}

const network = openVisionNetwork(flags.model);
const statistics = shippedChannelStatistics(flags.model);
if (!statistics) throw new Error(`${flags.model} ships no channel statistics`);
let [better, live] = [0, 0];
for (const layer of flags.layers.split(',')) {
  const counted = statistics.load(layer);
  if (!counted) throw new Error(`the statistics do not cover ${layer}`);
  const { units } = await finishRun(
    renderUnits({ network, units: parseUnitList(`${layer}:*`, network), size, steps, rate }),
  );
  const dead = new Set(deadChannels(counted));
  const below: string[] = [];
  for (const [channel, unit] of units.entries()) {
    if (dead.has(channel)) continue;
    live++;
    const [synthetic, natural] = [await jittered(network, unit), counted.picture.max[channel]!];
    if (synthetic > natural) better++;
    else below.push(`${unit.unit} (${synthetic.toPrecision(3)} against ${natural.toPrecision(3)})`);
  }
  console.log(
    `${layer}: ${units.length} channels, dead ${dead.size}, below photographs: ${below.join(', ') || 'none'}`,
  );
  if (flags.sheets) {
    const tiles = units.map(({ unit, picture, dead }) => ({ label: unit, picture, dead }));
    const webp = await sharp(await encodePng(contactSheet(tiles)))
      .webp({ quality: 70 })
      .toBuffer();
    writeFileSync(join(flags.sheets, `${layer}.webp`), webp);
  }
}
console.log(
  `above the largest photograph: ${better} of ${live} live channels (${((100 * better) / live).toFixed(1)} %)`,
);
process.exit();
