/**
 * @file Trains a sparse autoencoder on the residual stream of a model with the project's own engine.
 *
 *   npx tsx tools/train-dictionary.ts --model models/books-lm --corpus books-train.txt.gz --work DIR --out DICTIONARY
 *     [--steps 1000] [--place blocks.2.hook_resid_post] [--latents 2048] [--k 16] [--batch 16] [--rate 0.01] [--seed 1]
 *     [--stop-after N]
 *
 * The work folder holds the encoded corpus, `checkpoint.safetensors` and `log.jsonl`; the same command resumes from there,
 * and ends with the very parameters of a run that was not stopped. A finished run is written in SAELens' format.
 */
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { cosineSchedule } from '../src/engine/training/optimizer.js';
import { Trainer, type TrainingState } from '../src/engine/training/trainer.js';
import { openTextWeights } from '../src/text/lm/model.js';
import type { Place } from '../src/text/lm/places.js';
import { BpeEncoder } from './bpe-trainer.js';
import { encodeCorpus, folderVocabulary } from './corpus.js';
import { dictionaryLoss, dictionaryRule, firstDictionary, silentCount } from './dictionary.js';
import { thresholdOf, writeDictionary } from './export-dictionary.js';
import { idsOf, standardOf, standardStream, tokensOf } from './residual-stream.js';
import { SilentLatents } from './silent-latents.js';
import { showProgress, smooth, TrainingRun } from './training-run.js';
import { Windows } from './windows.js';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string' },
    corpus: { type: 'string' },
    work: { type: 'string' },
    out: { type: 'string' },
    steps: { type: 'string', default: '1000' },
    place: { type: 'string', default: 'blocks.2.hook_resid_post' },
    latents: { type: 'string', default: '2048' },
    k: { type: 'string', default: '16' },
    batch: { type: 'string', default: '16' },
    rate: { type: 'string', default: '0.01' },
    seed: { type: 'string', default: '1' },
    'stop-after': { type: 'string' },
  },
});
const { model: folder, corpus, work, out } = options;
if (!folder || !corpus || !work || !out) throw new Error('give --model, --corpus, --work and --out');
const steps = Number(options.steps);
const seed = Number(options.seed);

const POSITIONS = 129;
const WARMUP = 0.02;
const FLOOR = 0.02;
const STEPS_BETWEEN_CHECKPOINTS = 500;
/** Batches that are counted for their mean, and for the threshold. */
const COUNTED = 64;

// -- data and model --------------------------------------------------------------------------------------------

const model = openTextWeights(folder);
const stream = { model, place: options.place as Place, batch: Number(options.batch), positions: POSITIONS };
const size = { width: model.spec.dModel, latents: Number(options.latents), k: Number(options.k) };
const encoder = new BpeEncoder(await folderVocabulary(folder));
const windows = new Windows(await encodeCorpus(corpus, encoder, join(work, 'train.u16')), POSITIONS, seed);
const standard = await standardOf(stream, windows, COUNTED);

const stopAfter = options['stop-after'];
const run = new TrainingRun(work, seed, stopAfter === undefined ? undefined : Number(stopAfter));
const silent = new SilentLatents(size, run.resumed?.state);
const chosen = [silentCount(size)];

const trainer = await Trainer.create(
  {
    loss: ({ ids, ...inputs }, weights) =>
      dictionaryLoss(size, standardStream(stream, standard, ids!, weights), inputs, weights),
    inputs: { ids: idsOf(stream), chosen: { shape: chosen, dtype: 'int32' }, silent: { shape: chosen } },
    parameters: firstDictionary(size, seed),
    frozen: model.weights,
    rule: dictionaryRule,
  },
  run.resumed,
);

// -- the run ---------------------------------------------------------------------------------------------------

async function save(): Promise<TrainingState> {
  const state = await trainer.snapshot();
  run.save(state.set('silence', { shape: [size.latents], data: silent.tokens }));
  return state;
}

let smoothUnexplained = 0;
let next = windows.batch(run.position.windows, stream.batch);
while (run.position.steps < steps && run.goesOn) {
  const rate =
    Number(options.rate) * cosineSchedule(run.position.steps, steps, Math.ceil(WARMUP * steps), FLOOR);
  const start = performance.now();
  const running = trainer.step({ ids: next.ids, ...silent.inputs() }, rate);
  // Made while the worker computes.
  next = windows.batch(run.position.windows + stream.batch, stream.batch);
  const { loss, gradientNorm, report } = await running;
  silent.count(report.fired as Float32Array, tokensOf(stream));
  const seconds = run.advance(trainer, stream.batch, start);
  const unexplained = report.unexplained![0]!;
  smoothUnexplained = smooth(smoothUnexplained, unexplained);
  run.log({
    rate,
    loss,
    gradientNorm,
    unexplained,
    silent: silent.size,
    tokensPerSecond: tokensOf(stream) / seconds,
  });
  showProgress(
    run.position.steps / steps,
    `step ${run.position.steps}`,
    `unexplained ${smoothUnexplained.toFixed(3)}`,
    `${silent.size} silent`,
    `${(tokensOf(stream) / seconds).toFixed(0)} tokens/s`,
  );
  if (run.position.steps % STEPS_BETWEEN_CHECKPOINTS === 0) await save();
}
const state = await save();
trainer.dispose();
if (run.position.steps === steps) {
  const unseen = { windows, first: run.position.windows, batches: COUNTED };
  const threshold = await thresholdOf(size, [stream, standard], state, unseen);
  const { place } = stream;
  await writeDictionary(out, size, state, { standard, threshold, place, model: basename(folder) });
}
process.exit(0);
