/**
 * @file Trains the embedded CNN with the project's own engine.
 *
 *   npx tsx tools/train-cnn.ts --train tiny-imagenet-train.tar --valid tiny-imagenet-valid.tar --work DIR
 *     [--stages 32:6,48:3,64:2] [--batch 128] [--rate 0.01] [--seed 1] [--stop-after N]
 *
 * A stage is a picture size and how many epochs are trained at it. The work folder holds the decoded pictures,
 * `checkpoint.safetensors` and `log.jsonl`; the same command goes on from there, and a run that is stopped and
 * resumed ends with the very parameters of one that was not.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cosineSchedule } from '../src/engine/optimizer.js';
import { Trainer } from '../src/engine/trainer.js';
import { type Position, readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { cnnLoss, firstParameters, updateRule } from './cnn.js';
import { foldedParameters } from './fold-batch-norm.js';
import { loadPictures, PictureStream } from './pictures.js';
import { plainClassifier, topOne } from './top-one.js';

const { values: options } = parseArgs({
  options: {
    train: { type: 'string' },
    valid: { type: 'string' },
    work: { type: 'string' },
    stages: { type: 'string', default: '32:6,48:3,64:2' },
    batch: { type: 'string', default: '128' },
    rate: { type: 'string', default: '0.02' },
    seed: { type: 'string', default: '1' },
    'stop-after': { type: 'string' },
  },
});
const { train, valid, work } = options;
if (!train || !valid || !work) throw new Error('give --train, --valid and --work');
const batch = Number(options.batch);
const seed = Number(options.seed);
const stopAfter = Number(options['stop-after'] ?? Number.POSITIVE_INFINITY);

const WARMUP = 0.02;
const FLOOR = 0.01;
const CLIP = 2;
/** A step that took longer was paused: seconds beyond this do not count as training. */
const LONGEST_STEP = 20;
const STEPS_BETWEEN_CHECKPOINTS = 200;
/** Of training pictures, whose moments stand in for batch norm's when the network is validated. */
const VALIDATION_BATCHES = 8;

// -- data and schedule -----------------------------------------------------------------------------------------

const pictures = await loadPictures(train, join(work, 'train'));
const validPictures = await loadPictures(valid, join(work, 'valid'));
const stream = new PictureStream(pictures, seed);

/** Picture sizes, each up to a step. */
let totalSteps = 0;
const stages = options.stages.split(',').map((stage) => {
  const [size, epochs] = stage.split(':').map(Number) as [number, number];
  totalSteps += Math.max(1, Math.round((epochs * stream.count) / batch));
  return { size, end: totalSteps };
});

/** Picture size of a step, from 0. */
const sizeAt = (step: number) => (stages.find(({ end }) => step < end) ?? stages.at(-1)!).size;

const checkpointPath = join(work, 'checkpoint.safetensors');
const checkpoint = readCheckpoint(checkpointPath);
let position: Position = checkpoint?.position ?? { steps: 0, windows: 0, seconds: 0, seed };
if (position.seed !== seed) throw new Error(`the checkpoint in ${work} was made with seed ${position.seed}`);

const createTrainer = (size: number, from?: Parameters<typeof Trainer.create>[1]) =>
  Trainer.create(
    {
      loss: (inputs, weights) => ({ loss: cnnLoss(inputs, weights) }),
      inputs: {
        image: { shape: [batch, size, size, 3] },
        target: { shape: [batch, pictures.classes.length] },
      },
      parameters: firstParameters(seed),
      rule: updateRule,
      clipNorm: CLIP,
    },
    from,
  );

// -- the run ---------------------------------------------------------------------------------------------------

function log(entry: Record<string, number>): void {
  appendFileSync(join(work!, 'log.jsonl'), `${JSON.stringify(entry)}\n`);
}

async function save(): Promise<void> {
  const state = await trainer.snapshot();
  writeCheckpoint(checkpointPath, state, position);
  const network = await foldedParameters(state, pictures, VALIDATION_BATCHES);
  const accuracy = await topOne(plainClassifier(network), validPictures);
  log({ ...position, top1: accuracy });
  process.stderr.write(`\n  validation: ${(100 * accuracy).toFixed(2)} % top-1\n`);
}

function show(loss: number, picturesPerSecond: number, secondsPerPixel: number): void {
  const done = position.steps / totalSteps;
  let pixels = 0;
  for (let step = position.steps; step < totalSteps; step++) pixels += sizeAt(step) ** 2 * batch;
  const bar = '█'.repeat(Math.floor(done * 20)).padEnd(20, '░');
  process.stderr.write(
    `\r${bar} ${(100 * done).toFixed(1)} %  step ${position.steps}/${totalSteps}  ${sizeAt(position.steps)} px  ` +
      `loss ${loss.toFixed(3)}  ${picturesPerSecond.toFixed(0)} pictures/s  ` +
      `${((pixels * secondsPerPixel) / 60).toFixed(1)} min left `,
  );
}

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopped = true));

const smooth = (old: number, fresh: number) => (old === 0 ? fresh : 0.95 * old + 0.05 * fresh);
let smoothLoss = 0;
let secondsPerPicture = 0;
let size = sizeAt(position.steps);
let trainer = await createTrainer(size, checkpoint && { state: checkpoint.state, steps: position.steps });
const startedAt = position.steps;
let next = stream.batch(position.windows, batch, size);
while (position.steps < totalSteps && position.steps - startedAt < stopAfter && !stopped) {
  const start = performance.now();
  if (sizeAt(position.steps) !== size) {
    size = sizeAt(position.steps);
    const state = await trainer.snapshot();
    trainer.dispose();
    trainer = await createTrainer(size, { state, steps: position.steps });
    secondsPerPicture = 0;
  }
  const rate = Number(options.rate) * cosineSchedule(position.steps, totalSteps, WARMUP * totalSteps, FLOOR);
  const running = trainer.step({ ...next }, rate);
  // Made while the worker computes.
  next = stream.batch(position.windows + batch, batch, sizeAt(position.steps + 1));
  const result = await running;
  const seconds = Math.min(LONGEST_STEP, (performance.now() - start) / 1000);
  position = {
    ...position,
    steps: trainer.steps,
    windows: position.windows + batch,
    seconds: position.seconds + seconds,
  };
  smoothLoss = smooth(smoothLoss, result.loss);
  secondsPerPicture = smooth(secondsPerPicture, seconds / batch);
  log({
    ...position,
    size,
    rate,
    loss: result.loss,
    gradientNorm: result.gradientNorm,
    picturesPerSecond: batch / seconds,
  });
  show(smoothLoss, 1 / secondsPerPicture, secondsPerPicture / size ** 2);
  if (position.steps % STEPS_BETWEEN_CHECKPOINTS === 0) await save();
}
await save();
trainer.dispose();
process.exit(0);
