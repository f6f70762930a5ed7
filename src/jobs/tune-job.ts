/** @file The task `tune`: a language model learns to write what excites a unit. */
import type { Baseline } from '../rl/policy-gradient.js';
import { checkTune, type TuneResult, tune } from '../rl/tune.js';
import { priceOf, tuneDefaults } from '../rl/tune-defaults.js';
import { readTuneState } from '../rl/tune-state.js';
import type { TuneOptions } from '../rl/tuning.js';
import type { Run } from '../runs/events.js';
import { inFrame } from '../text/lm/frame.js';
import { openSession, openTextModel, recordedModel } from './open-subject.js';
import type { JobOf } from './schema.js';
import type { Given, Task } from './task.js';

const baselines = { rloo: 'loo', grpo: 'group' } as const satisfies Record<string, Baseline>;

export const tuneTask: Task<'tune', TuneResult> = {
  keeps: true,
  pathFields: ['model', 'prior', 'calibrationText'],
  outputFields: [],
  async *open(job, signal, given) {
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
};

async function* tuneOptions(job: JobOf<'tune'>, signal: AbortSignal, given: Given): Run<TuneOptions> {
  const { unit, length, steps, batch, rank, selectivity, checkpointEvery, learningRate, weightDecay } = job;
  const session = yield* openSession(job, signal, given.model);
  const writer =
    job.prior === null ? null : inFrame((yield* openTextModel(job.prior, null, signal)).model, job, job.at);
  return {
    ...session,
    ...(writer && { writer }),
    ...priceOf(length, job),
    ...{ unit, length, steps, batch, selectivity, checkpointEvery, learningRate, weightDecay },
    clipNorm: job.clipNorm,
    lora: { rank, alpha: job.alpha ?? tuneDefaults.alphaOfRank * rank, targets: job.targets },
    gradient: { baseline: baselines[job.algorithm], kl: job.kl, scaled: job.scaleRewards },
  };
}
