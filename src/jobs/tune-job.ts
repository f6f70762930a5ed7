/** @file The task `tune`: a language model learns to write what excites a unit. */
import { z } from 'zod';
import type { Baseline } from '../rl/policy-gradient.js';
import type { TuneResult } from '../rl/tune.js';
import { klEstimatorNames, priceOf, tuneAlgorithms, tuneBounds, tuneDefaults } from '../rl/tune-defaults.js';
import type { TuneOptions } from '../rl/tuning.js';
import type { Run } from '../runs/events.js';
import { above0, name, names, probe, textLength, within } from './fields.js';
import { defineTask, type Given, type Opened } from './task.js';

const schema = z.strictObject({
  task: z.literal('tune'),
  ...probe,
  unit: name,
  /** The language model that is tuned; null = the probed one. */
  prior: name.nullable().default(null),
  length: textLength.default(tuneDefaults.length),
  steps: within(tuneBounds.steps).default(tuneDefaults.steps),
  batch: within(tuneBounds.batch).default(tuneDefaults.batch),
  learningRate: above0.default(tuneDefaults.learningRate),
  /** Sigmas a nat, and the divergence that it is steered to, nats a text; see `priceOf`. */
  beta: above0.optional(),
  klTarget: above0.optional(),
  selectivity: z
    .number()
    .min(tuneBounds.selectivity.min)
    .max(tuneBounds.selectivity.max)
    .default(tuneDefaults.selectivity),
  algorithm: z.enum(tuneAlgorithms).default(tuneDefaults.algorithm),
  scaleRewards: z.boolean().default(false),
  kl: z.enum(klEstimatorNames).default(tuneDefaults.kl),
  rank: within(tuneBounds.rank).default(tuneDefaults.rank),
  /** Null = twice the rank. */
  alpha: above0.nullable().default(null),
  targets: names.default([...tuneDefaults.targets]),
  weightDecay: z.number().min(0).default(tuneDefaults.weightDecay),
  clipNorm: above0.default(tuneDefaults.clipNorm),
  checkpointEvery: within(tuneBounds.checkpointEvery).default(tuneDefaults.checkpointEvery),
});

const baselines = { rloo: 'loo', grpo: 'group' } as const satisfies Record<string, Baseline>;

export const tuneTask = defineTask({
  schema,
  reads: 'text',
  keeps: true,
  pathFields: ['model', 'prior', 'calibrationText'],
  outputFields: [],
  async *open(job, signal, given): Run<Opened<TuneResult>> {
    const { checkTune, tune } = await import('../rl/tune.js');
    const { readTuneState } = await import('../rl/tune-state.js');
    const { recordedModel } = await import('./open-text-model.js');
    const options = yield* tuneOptions(job, signal, given);
    checkTune(options);
    return {
      model: recordedModel(options),
      begin({ folder, signal, earlier }) {
        const from = earlier ? readTuneState(earlier.reading.path) : undefined;
        return tune({ ...options, signal, ...(folder && { folder: folder.path }), ...(from && { from }) });
      },
    };
  },
});

async function* tuneOptions(
  job: z.output<typeof schema>,
  signal: AbortSignal,
  given: Given,
): Run<TuneOptions> {
  const { inFrame } = await import('../text/lm/frame.js');
  const { openSession, openTextModel } = await import('./open-text-model.js');
  const { unit, length, steps, batch, rank, selectivity, checkpointEvery, learningRate, weightDecay } = job;
  const session = yield* openSession(job, signal, given.model);
  const writer =
    job.prior === null ? null : inFrame((yield* openTextModel(job.prior, null, signal)).model, job, job.at);
  return {
    ...session,
    ...(writer && { writer }),
    ...priceOf(length, job),
    unit,
    length,
    steps,
    batch,
    selectivity,
    checkpointEvery,
    learningRate,
    weightDecay,
    clipNorm: job.clipNorm,
    lora: { rank, alpha: job.alpha ?? tuneDefaults.alphaOfRank * rank, targets: job.targets },
    gradient: { baseline: baselines[job.algorithm], kl: job.kl, scaled: job.scaleRewards },
  };
}
