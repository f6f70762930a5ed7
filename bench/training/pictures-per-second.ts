/**
 * @file Speed of training: pictures a second of the embedded CNN, forward, backward and update.
 *
 *   npx tsx bench/training/pictures-per-second.ts [--size 64] [--batch 128] [--steps 5]
 *   python bench/training/pictures_per_second.py [--size 64] [--batch 128] [--steps 5]     the same in PyTorch
 *
 * One JSON document on stdout; the median step counts.
 */
import { parseArgs } from 'node:util';
import { Random } from '../../src/core/random.js';
import { Trainer } from '../../src/engine/training/trainer.js';
import { classes, cnnLoss, firstParameters, updateRule } from '../../tools/cnn.js';

const { values: options } = parseArgs({
  options: {
    size: { type: 'string', default: '64' },
    batch: { type: 'string', default: '128' },
    steps: { type: 'string', default: '5' },
  },
});
const [size, batch] = [Number(options.size), Number(options.batch)];

const trainer = await Trainer.create({
  loss: (inputs, weights) => ({ loss: cnnLoss(inputs, weights) }),
  inputs: { image: { shape: [batch, size, size, 3] }, target: { shape: [batch, classes] } },
  parameters: firstParameters(0),
  rule: updateRule,
  clipNorm: 2,
});
const random = new Random(0);
const seconds: number[] = [];
for (let step = 0; step < Number(options.steps) + 2; step++) {
  const image = random.normals(batch * size * size * 3);
  const target = new Float32Array(batch * classes);
  for (let row = 0; row < batch; row++) target[row * classes + random.integer(classes)] = 1;
  const start = performance.now();
  await trainer.step({ image, target }, 0.01);
  // The first two allocate memory.
  if (step >= 2) seconds.push((performance.now() - start) / 1000);
}
trainer.dispose();
seconds.sort((a, b) => a - b);
const median = seconds[Math.floor(seconds.length / 2)]!;
const result = { engine: 'superstimulus', size, batch, seconds: median, picturesPerSecond: batch / median };
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exit(0);
