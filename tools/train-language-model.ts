/**
 * @file Trains the embedded language model with the project's own engine.
 *
 *   npx tsx tools/train-language-model.ts --corpus books-train.txt.gz --valid books-valid.txt.gz --work DIR
 *     [--minutes 80 | --steps N] [--batch 16] [--rate 0.01] [--seed 1] [--stop-after N]
 *
 * The work folder holds the tokenizer, the encoded corpus, `checkpoint.safetensors` and `log.jsonl`; the same
 * command goes on from there. With `--steps` the learning rate is a function of the step, and a run that is
 * stopped and resumed ends with the very parameters of one that was not. With `--minutes` it is a function of the
 * seconds spent training, which the checkpoint keeps.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cosineSchedule } from '../src/engine/optimizer.js';
import { Trainer } from '../src/engine/trainer.js';
import { BpeEncoder, tokenByteLengths } from '../src/text/bpe-trainer.js';
import { parameterShapes } from '../src/text/parameters.js';
import { compileEvaluation } from './bits-per-byte.js';
import { type Position, readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { corpusVocabulary, encodeCorpus } from './corpus.js';
import { firstParameters, spec, updateRule } from './language-model.js';
import { languageModelLoss } from './loss.js';
import { Windows } from './windows.js';

const { values: options } = parseArgs({
  options: {
    corpus: { type: 'string' },
    valid: { type: 'string' },
    work: { type: 'string' },
    minutes: { type: 'string' },
    steps: { type: 'string' },
    batch: { type: 'string', default: '16' },
    rate: { type: 'string', default: '0.01' },
    seed: { type: 'string', default: '1' },
    'stop-after': { type: 'string' },
  },
});
const { corpus, valid, work } = options;
if (!corpus || !valid || !work || (!options.minutes && !options.steps))
  throw new Error('give --corpus, --valid, --work, and --minutes or --steps');
const batch = Number(options.batch);
const stopAfter = Number(options['stop-after'] ?? Number.POSITIVE_INFINITY);

const WARMUP = 0.02;
const FLOOR = 0.02;
const CLIP = 1;
/** A step that took longer was paused: seconds beyond this do not count as training. */
const LONGEST_STEP = 20;
const SECONDS_BETWEEN_CHECKPOINTS = 300;
const VALIDATION_WINDOWS = 64;

// -- data and model --------------------------------------------------------------------------------------------

const vocabulary = await corpusVocabulary(work, corpus, spec.vocab);
const encoder = new BpeEncoder(vocabulary);
const windows = new Windows(
  await encodeCorpus(corpus, encoder, join(work, 'train.u16')),
  spec.context,
  Number(options.seed),
);
const validTokens = await encodeCorpus(valid, encoder, join(work, 'valid.u16'));

const checkpointPath = join(work, 'checkpoint.safetensors');
const checkpoint = readCheckpoint(checkpointPath);
let position: Position = checkpoint?.position ?? {
  steps: 0,
  windows: 0,
  seconds: 0,
  seed: Number(options.seed),
};
if (position.seed !== Number(options.seed))
  throw new Error(`the checkpoint in ${work} was made with seed ${position.seed}`);

const trainer = await Trainer.create(
  {
    loss: (inputs, weights) => ({ loss: languageModelLoss(spec, inputs, weights) }),
    inputs: {
      ids: { shape: [batch, spec.context], dtype: 'int32' },
      targets: { shape: [batch * spec.context], dtype: 'int32' },
    },
    parameters: firstParameters(position.seed),
    rule: updateRule,
    clipNorm: CLIP,
  },
  checkpoint && { state: checkpoint.state, steps: position.steps },
);
const shapes = parameterShapes(spec);
const evaluate = await compileEvaluation(spec, shapes, {
  tokens: validTokens,
  byteLengths: tokenByteLengths(vocabulary),
});

// -- the run ---------------------------------------------------------------------------------------------------

/** How far the schedule is, from 0 to 1. */
const progress = () =>
  options.steps ? position.steps / Number(options.steps) : position.seconds / (60 * Number(options.minutes));

function log(entry: Record<string, number>): void {
  appendFileSync(join(work!, 'log.jsonl'), `${JSON.stringify(entry)}\n`);
}

async function save(): Promise<void> {
  writeCheckpoint(checkpointPath, await trainer.snapshot(), position);
  const parameters = Object.fromEntries(
    [...shapes.keys()].map((name) => [name, trainer.parameters.get(name)!]),
  );
  const { nats, bitsPerByte } = await evaluate(parameters, VALIDATION_WINDOWS);
  log({ ...position, validNats: nats, bitsPerByte });
  process.stderr.write(
    `\n  validation: ${nats.toFixed(3)} nats a token, ${bitsPerByte.toFixed(3)} bits a byte\n`,
  );
}

function show(loss: number, tokensPerSecond: number): void {
  const done = progress();
  const left = done > 0 ? (position.seconds / done) * (1 - done) : 0;
  const bar = '█'.repeat(Math.floor(done * 20)).padEnd(20, '░');
  process.stderr.write(
    `\r${bar} ${(100 * done).toFixed(1)} %  step ${position.steps}  loss ${loss.toFixed(3)}  ` +
      `${tokensPerSecond.toFixed(0)} tokens/s  ${(left / 60).toFixed(1)} min left `,
  );
}

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => (stopped = true));

let savedAt = position.seconds;
let smoothLoss = 0;
let speed = 0;
const startedAt = position.steps;
let next = windows.batch(position.windows, batch);
while (progress() < 1 && position.steps - startedAt < stopAfter && !stopped) {
  const rate = Number(options.rate) * cosineSchedule(1000 * progress(), 1000, 1000 * WARMUP, FLOOR);
  const start = performance.now();
  const running = trainer.step({ ...next }, rate);
  // Made while the worker computes.
  next = windows.batch(position.windows + batch, batch);
  const result = await running;
  const seconds = Math.min(LONGEST_STEP, (performance.now() - start) / 1000);
  position = {
    ...position,
    steps: trainer.steps,
    windows: position.windows + batch,
    seconds: position.seconds + seconds,
  };
  const tokensPerSecond = (batch * spec.context) / seconds;
  smoothLoss = smoothLoss === 0 ? result.loss : 0.95 * smoothLoss + 0.05 * result.loss;
  speed = speed === 0 ? tokensPerSecond : 0.95 * speed + 0.05 * tokensPerSecond;
  log({ ...position, rate, loss: result.loss, gradientNorm: result.gradientNorm, tokensPerSecond });
  show(smoothLoss, speed);
  if (position.seconds - savedAt > SECONDS_BETWEEN_CHECKPOINTS) {
    await save();
    savedAt = position.seconds;
  }
}
await save();
trainer.dispose();
process.exit(0);
