/** @file `superstim tune` as a library function: a language model learns to write what excites a unit. */
import { UsageError } from '../core/errors.js';
import { field } from '../core/field.js';
import type { FrameReport } from '../core/frame-report.js';
import { hypervolume } from '../core/frontier.js';
import type { ScoredText } from '../core/scored-text.js';
import { eventClock, finishedEvent, type Run, stamped } from '../runs/events.js';
import { frameOf } from '../text/lm/frame.js';
import { contextPhrase } from '../text/lm/spec.js';
import { calibrate, groupsOf, resolveUnits } from '../text/readouts/session.js';
import { loraLayout } from './lora.js';
import type { SampleStatistics } from './sample-statistics.js';
import { adapterFolder, type TuneCost } from './tune-state.js';
import { type TuneOptions, type TunePlan, Tuning } from './tuning.js';

export interface TuneResult {
  unit: string;
  frame: FrameReport;
  steps: number;
  /** The folder of the adapter, in PEFT's layout. */
  adapter: string | null;
  /** Sigmas a nat, at the end. */
  beta: number;
  cost: TuneCost;
  /** Fresh samples of the tuned model; null when it was interrupted. */
  samples: SampleStatistics | null;
  /** Samples of the frozen prior, as many. */
  prior_samples: SampleStatistics;
  hypervolume: number;
  frontier: ScoredText[];
}

/** How many of a step's texts its event shows. */
const SHOWN = 3;
/** Samples repeat one another this much more than the prior's: the user is warned. */
const COLLAPSING = 0.5;

/**
 * Tunes adapters so that samples excite the unit while they stay probable: the optimum is p(x) exp(r(x) / beta) / Z,
 * p the frozen prior and r the reward in sigmas. A signal ends it after the step, with all that was found.
 *
 * @throws UsageError for options that make no sense, before anything is computed
 */
export async function* tune(options: TuneOptions): Run<TuneResult> {
  const { signal, steps, from, gradient, folder } = options;
  const plan = checkTune(options);
  const event = eventClock(from?.elapsed);
  const candidates = (texts: readonly ScoredText[], operator: string) =>
    texts.map((candidate) => event({ kind: 'candidate', source: 'search', candidate, operator }));
  yield event({ kind: 'started', task: 'tune', unit: plan.objective.name, method: gradient.baseline });

  const calibration = yield* calibrate({ ...options, groups: groupsOf(plan) }, event);
  const tuning = await Tuning.create(options, plan, calibration);
  yield* calibration.takeWarnings().map(event);
  yield* stamped(calibration.report(plan.objective), event);

  try {
    let prior = from?.checkpoint?.position.prior;
    if (!prior) {
      const { statistics, entered } = await tuning.evaluate('prior');
      prior = statistics;
      yield* candidates(entered, 'prior');
    }
    const firstStep = tuning.steps;
    const start = performance.now();
    let collapsed = false;
    while (tuning.steps < steps && !signal?.aborted) {
      const { step, metrics, texts, entered } = await tuning.step();
      if (step > (from?.logged ?? 0))
        yield event({ kind: 'step', source: 'search', step, metrics, samples: texts.slice(0, SHOWN) });
      yield* candidates(entered, 'policy');
      if (metrics.unique! < COLLAPSING * prior.unique && !collapsed) {
        collapsed = true;
        yield event({ kind: 'warning', message: collapse(metrics.unique!, options.batch, step) });
      }
      if (step % options.checkpointEvery === 0 && step < steps) await tuning.save(prior);
      const rate = ((step - firstStep) * 1000) / (performance.now() - start);
      yield event({
        kind: 'progress',
        source: 'search',
        budget: 'steps',
        done: step,
        total: steps,
        rate,
        rate_unit: 'steps',
        seconds_left: (steps - step) / rate,
      });
    }
    let samples: SampleStatistics | null = null;
    if (!signal?.aborted) {
      const { statistics, entered } = await tuning.evaluate('tuned');
      samples = statistics;
      yield* candidates(entered, 'policy');
    }
    await tuning.save(prior);
    const frontier = tuning.frontier.members;
    const result: TuneResult = {
      unit: plan.objective.name,
      frame: frameOf(options.model),
      steps: tuning.steps,
      adapter: folder === undefined ? null : adapterFolder(folder),
      beta: tuning.beta,
      cost: tuning.cost,
      samples,
      prior_samples: prior,
      hypervolume: hypervolume(frontier),
      frontier,
    };
    yield event(finishedEvent(result, signal));
    return result;
  } finally {
    await tuning.dispose();
  }
}

/**
 * Finds out what is wrong with a request before anything is computed or written.
 *
 * @throws UsageError for a unit, reference class, length, batch or target module that makes no sense
 */
export function checkTune(options: TuneOptions): TunePlan {
  const { model, writer = model, length, batch, lora } = options;
  if (batch < 2)
    throw new UsageError(
      `a step of ${batch} sequence(s) has nothing to compare with: ${field('batch')} must be at least 2`,
    );
  if (length < 1)
    throw new UsageError(
      `a text of ${length} tokens cannot be learned: ${field('length')} must be at least 1`,
    );
  if (length + 1 > writer.spec.context)
    throw new UsageError(
      `${field('length')} ${length} does not fit the ${contextPhrase(writer.spec)}, of the model ${writer.name}`,
    );
  return { ...resolveUnits(options.unit, options), layout: loraLayout(writer.spec, lora) };
}

function collapse(unique: number, batch: number, step: number): string {
  const different = Math.round(unique * batch);
  const what =
    different === 1
      ? `the policy has collapsed: all ${batch} samples of step ${step} are the same text`
      : `the policy is collapsing: only ${different} of ${batch} samples of step ${step} differ`;
  return `${what}; raise ${field('beta')}, or set ${field('klTarget')} lower`;
}
