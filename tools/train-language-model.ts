/**
 * @file Trains the embedded language model with the project's own engine.
 *
 *   npx tsx tools/train-language-model.ts --corpus books-train.txt.gz --valid books-valid.txt.gz --work DIR
 *     [--minutes 80 | --steps N] [--batch 16] [--rate 0.01] [--seed 1] [--stop-after N]
 *
 * The work folder holds the tokenizer, the encoded corpus, `checkpoint.safetensors` and `log.jsonl`; the same
 * command resumes from there. With `--steps` the learning rate is a function of the step, and a run that is
 * stopped and resumed ends with the very parameters of one that was not. With `--minutes` it is a function of the
 * seconds spent training, which the checkpoint keeps.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cosineSchedule } from '../src/engine/training/optimizer.js';
import { Trainer } from '../src/engine/training/trainer.js';
import { parameterShapes } from '../src/text/lm/parameters.js';
import { compileEvaluation } from './bits-per-byte.js';
import { BpeEncoder, tokenByteLengths } from './bpe-trainer.js';
import { corpusVocabulary, encodeCorpus } from './corpus.js';
import { firstParameters, spec, updateRule } from './language-model.js';
import { languageModelLoss } from './loss.js';
import { showProgress, smooth, TrainingRun } from './training-run.js';
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
const seed = Number(options.seed);

const WARMUP = 0.02;
const FLOOR = 0.02;
const CLIP = 1;
const SECONDS_BETWEEN_CHECKPOINTS = 300;
const VALIDATION_WINDOWS = 64;

// -- data and model --------------------------------------------------------------------------------------------

const vocabulary = await corpusVocabulary(work, corpus, spec.vocab);
const encoder = new BpeEncoder(vocabulary);
const windows = new Windows(await encodeCorpus(corpus, encoder, join(work, 'train.u16')), spec.context, seed);
const validTokens = await encodeCorpus(valid, encoder, join(work, 'valid.u16'));

const stopAfter = options['stop-after'];
const run = new TrainingRun(work, seed, stopAfter === undefined ? undefined : Number(stopAfter));

const trainer = await Trainer.create(
  {
    loss: (inputs, weights) => ({ loss: languageModelLoss(spec, inputs, weights) }),
    inputs: {
      ids: { shape: [batch, spec.context], dtype: 'int32' },
      targets: { shape: [batch * spec.context], dtype: 'int32' },
    },
    parameters: firstParameters(seed),
    rule: updateRule,
    clipNorm: CLIP,
  },
  run.resumed,
);
const shapes = parameterShapes(spec);
const evaluate = await compileEvaluation(spec, shapes, {
  tokens: validTokens,
  byteLengths: tokenByteLengths(vocabulary),
});

// -- the run ---------------------------------------------------------------------------------------------------

/** How far the schedule is, from 0 to 1. */
const progress = () =>
  options.steps
    ? run.position.steps / Number(options.steps)
    : run.position.seconds / (60 * Number(options.minutes));

async function save(): Promise<void> {
  run.save(await trainer.snapshot());
  const parameters = Object.fromEntries(
    [...shapes.keys()].map((name) => [name, trainer.parameters.get(name)!]),
  );
  const { nats, bitsPerByte } = await evaluate(parameters, VALIDATION_WINDOWS);
  run.log({ validNats: nats, bitsPerByte });
  process.stderr.write(
    `\n  validation: ${nats.toFixed(3)} nats a token, ${bitsPerByte.toFixed(3)} bits a byte\n`,
  );
}

function show(loss: number, tokensPerSecond: number): void {
  const done = progress();
  const left = done > 0 ? (run.position.seconds / done) * (1 - done) : 0;
  showProgress(
    done,
    `step ${run.position.steps}`,
    `loss ${loss.toFixed(3)}`,
    `${tokensPerSecond.toFixed(0)} tokens/s`,
    `${(left / 60).toFixed(1)} min left`,
  );
}

let savedAt = run.position.seconds;
let smoothLoss = 0;
let speed = 0;
let next = windows.batch(run.position.windows, batch);
while (progress() < 1 && run.goesOn) {
  const rate = Number(options.rate) * cosineSchedule(1000 * progress(), 1000, 1000 * WARMUP, FLOOR);
  const start = performance.now();
  const running = trainer.step({ ...next }, rate);
  // Made while the worker computes.
  next = windows.batch(run.position.windows + batch, batch);
  const result = await running;
  const seconds = run.advance(trainer, batch, start);
  const tokensPerSecond = (batch * spec.context) / seconds;
  smoothLoss = smooth(smoothLoss, result.loss);
  speed = smooth(speed, tokensPerSecond);
  run.log({ rate, loss: result.loss, gradientNorm: result.gradientNorm, tokensPerSecond });
  show(smoothLoss, speed);
  if (run.position.seconds - savedAt > SECONDS_BETWEEN_CHECKPOINTS) {
    await save();
    savedAt = run.position.seconds;
  }
}
await save();
trainer.dispose();
process.exit(0);
