/**
 * @file Trains the embedded CNN with the project's own engine.
 *
 *   npx tsx tools/train-cnn.ts --train tiny-imagenet-train.tar --valid tiny-imagenet-valid.tar --work DIR
 *     [--stages 32:6,48:3,64:2] [--batch 128] [--rate 0.01] [--seed 1] [--stop-after N]
 *
 * A stage is a picture size and how many epochs are trained at it. The work folder holds the decoded pictures,
 * `checkpoint.safetensors` and `log.jsonl`; the same command resumes from there, and a run that is stopped and
 * resumed ends with the very parameters of one that was not.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cosineSchedule } from '../src/engine/training/optimizer.js';
import { Trainer } from '../src/engine/training/trainer.js';
import { cnnLoss, firstParameters, updateRule } from './cnn.js';
import { foldedParameters } from './fold-batch-norm.js';
import { loadPictures, PictureStream } from './pictures.js';
import { plainClassifier, topOne } from './top-one.js';
import { showProgress, smooth, TrainingRun } from './training-run.js';

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

const WARMUP = 0.02;
const FLOOR = 0.01;
const CLIP = 2;
const STEPS_BETWEEN_CHECKPOINTS = 200;
/** Batches of training pictures whose moments stand in for batch norm's when the network is validated. */
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

const stopAfter = options['stop-after'];
const run = new TrainingRun(work, seed, stopAfter === undefined ? undefined : Number(stopAfter));

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

async function save(): Promise<void> {
  const state = await trainer.snapshot();
  run.save(state);
  const network = await foldedParameters(state, pictures, VALIDATION_BATCHES);
  const accuracy = await topOne(plainClassifier(network), validPictures);
  run.log({ top1: accuracy });
  process.stderr.write(`\n  validation: ${(100 * accuracy).toFixed(2)} % top-1\n`);
}

function show(loss: number, picturesPerSecond: number, secondsPerPixel: number): void {
  const { steps } = run.position;
  let pixels = 0;
  for (let step = steps; step < totalSteps; step++) pixels += sizeAt(step) ** 2 * batch;
  showProgress(
    steps / totalSteps,
    `step ${steps}/${totalSteps}`,
    `${sizeAt(steps)} px`,
    `loss ${loss.toFixed(3)}`,
    `${picturesPerSecond.toFixed(0)} pictures/s`,
    `${((pixels * secondsPerPixel) / 60).toFixed(1)} min left`,
  );
}

let smoothLoss = 0;
let secondsPerPicture = 0;
let size = sizeAt(run.position.steps);
let trainer = await createTrainer(size, run.resumed);
let next = stream.batch(run.position.windows, batch, size);
while (run.position.steps < totalSteps && run.goesOn) {
  const start = performance.now();
  const { steps, windows } = run.position;
  if (sizeAt(steps) !== size) {
    size = sizeAt(steps);
    const state = await trainer.snapshot();
    trainer.dispose();
    trainer = await createTrainer(size, { state, steps });
    secondsPerPicture = 0;
  }
  const rate = Number(options.rate) * cosineSchedule(steps, totalSteps, WARMUP * totalSteps, FLOOR);
  const running = trainer.step({ ...next }, rate);
  // Made while the worker computes.
  next = stream.batch(windows + batch, batch, sizeAt(steps + 1));
  const result = await running;
  const seconds = run.advance(trainer, batch, start);
  smoothLoss = smooth(smoothLoss, result.loss);
  secondsPerPicture = smooth(secondsPerPicture, seconds / batch);
  run.log({
    size,
    rate,
    loss: result.loss,
    gradientNorm: result.gradientNorm,
    picturesPerSecond: batch / seconds,
  });
  show(smoothLoss, 1 / secondsPerPicture, secondsPerPicture / size ** 2);
  if (run.position.steps % STEPS_BETWEEN_CHECKPOINTS === 0) await save();
}
await save();
trainer.dispose();
process.exit(0);
