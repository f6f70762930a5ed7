/** @file A tuning run's moving parts: the policy, what rewards it, the best texts so far, what it cost. */

import { Frontier } from '../core/frontier.js';
import { Random } from '../core/random.js';
import type { ScoredText } from '../core/scored-text.js';
import { cosineSchedule } from '../engine/training/optimizer.js';
import type { TextModel } from '../text/lm/model.js';
import { openSubject } from '../text/lm/subject.js';
import type { Calibration } from '../text/readouts/calibration.js';
import { Probe } from '../text/readouts/probe.js';
import type { Resolved, Session } from '../text/readouts/session.js';
import { Likelihood } from './importance.js';
import { nextBeta } from './kl-control.js';
import { firstLora, type LoraLayout, type LoraSettings } from './lora.js';
import { loraOf, Policy } from './policy.js';
import type { GradientChoice } from './policy-gradient.js';
import { Reward, type Rewarded } from './reward.js';
import { mean, type SampleStatistics, sampleStatistics, uniqueShare } from './sample-statistics.js';
import { type TuneCost, type TuneState, writeTuneState } from './tune-state.js';

export interface TuneOptions extends Session {
  readonly unit: string;
  /** The language model that is tuned, and whose frozen self is the prior; the subject unless given. */
  readonly writer?: TextModel;
  /** Tokens after BOS. */
  readonly length: number;
  readonly steps: number;
  /** Sequences a step. */
  readonly batch: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Largest L2 norm of a step's gradient. */
  readonly clipNorm: number;
  readonly lora: LoraSettings;
  readonly gradient: GradientChoice;
  /** Sigmas a nat of divergence; where it begins when a target is given. */
  readonly beta: number;
  /** Nats a sequence: beta is steered toward this divergence. */
  readonly klTarget?: number;
  /** How much of the strongest rival's z is taken off the reward, 0 to 1. */
  readonly selectivity: number;
  /** Steps between checkpoints. */
  readonly checkpointEvery: number;
  /** The run folder, for checkpoints and the adapter; without one nothing is kept. */
  readonly folder?: string;
  /** Where an earlier run with the same options stood. */
  readonly from?: TuneState;
}

/** What options name, looked up. */
export interface TunePlan extends Resolved {
  readonly layout: LoraLayout;
}

/** One step, reported. */
export interface TuneStep {
  /** Its number, from 1. */
  readonly step: number;
  readonly metrics: Record<string, number>;
  readonly texts: readonly ScoredText[];
  /** The texts that entered the frontier. */
  readonly entered: readonly ScoredText[];
}

/** Samples that are drawn to describe the prior and the tuned model. */
const EVALUATED = 256;
/** The learning rate rises over the first steps, while the optimizer's averages settle. */
const WARMUP = 5;

export class Tuning {
  readonly frontier = new Frontier();
  readonly cost: TuneCost;
  /** Sigmas a nat. */
  beta: number;
  private readonly clockStart: number;

  private constructor(
    private readonly options: TuneOptions,
    private readonly layout: LoraLayout,
    readonly probe: Probe,
    private readonly policy: Policy,
    private readonly likelihood: Likelihood,
    private readonly reward: Reward,
  ) {
    const { from } = options;
    const position = from?.checkpoint?.position;
    this.beta = position?.beta ?? options.beta;
    this.cost = { seconds: 0, evaluations: 0, token_layers: 0, ...position?.cost };
    this.clockStart = performance.now() - this.cost.seconds * 1000;
    for (const candidate of from?.candidates ?? []) this.frontier.add(candidate);
  }

  static async create(options: TuneOptions, plan: TunePlan, calibration: Calibration): Promise<Tuning> {
    const { model, writer = model, seed, engine, at, batch, from, selectivity } = options;
    const { objective, reference, layout } = plan;
    const positions = options.length + 1;
    const subject = openSubject(model, engine);
    const probe = await Probe.create({ subject, objective, reference, calibration, at });
    const shared = { subject: openSubject(writer, engine), positions, batch };
    const { gradient, clipNorm, weightDecay } = options;
    const checkpoint = from?.checkpoint;
    const policy = await Policy.create(
      {
        ...shared,
        gradient,
        clipNorm,
        weightDecay,
        lora: firstLora(layout, seed),
      },
      checkpoint && { state: checkpoint.state, steps: checkpoint.position.steps },
    );
    const likelihood = await Likelihood.create({ ...shared, layout });
    const reward = new Reward({ probe, subject: model, writer, positions, batch, selectivity });
    return new Tuning(options, layout, probe, policy, likelihood, reward);
  }

  /** Steps taken so far. */
  get steps(): number {
    return this.policy.steps;
  }

  /** Draws, rewards, learns. */
  async step(): Promise<TuneStep> {
    const { batch, seed, steps, learningRate, klTarget } = this.options;
    const step = this.policy.steps;
    const rate = learningRate * cosineSchedule(step, steps, WARMUP);
    const ids = await this.policy.sample(batch, Random.of(seed, `step ${step}`));
    const { reward, texts } = await this.reward.of(ids);
    const { crossEntropy, ...learned } = await this.policy.step(ids, reward, this.beta, rate);
    // Drawing 1, the prior 1, forward and backward 2; and the subject.
    this.count(batch, 4);
    const scored = withProbability(texts, crossEntropy);
    const metrics = {
      reward: mean(reward),
      reward_max: Math.max(...reward),
      z: mean(scored.map(({ z }) => z)),
      kl: learned.klK1,
      kl_k3: learned.klK3,
      entropy: learned.entropy,
      cross_entropy: mean(crossEntropy),
      unique: uniqueShare(ids, batch),
      texts: scored.length / batch,
      advantage_deviation: learned.advantageDeviation,
      advantage_largest: learned.advantageLargest,
      gradient_norm: learned.gradientNorm,
      beta: this.beta,
      learning_rate: rate,
    };
    this.beta = nextBeta(this.beta, learned.klK1, klTarget);
    return { step: step + 1, metrics, texts: scored, entered: this.enter(scored) };
  }

  /**
   * Describes the policy as it is by fresh samples; before its first step the policy is the prior.
   *
   * @param name - names the random numbers
   */
  async evaluate(name: string): Promise<{ statistics: SampleStatistics; entered: readonly ScoredText[] }> {
    const ids = await this.policy.sample(EVALUATED, Random.of(this.options.seed, name));
    const { texts } = await this.reward.of(ids);
    const likelihoods = await this.likelihood.of(ids, this.policy.arrays);
    this.count(EVALUATED, 3);
    return {
      statistics: sampleStatistics(ids, texts, likelihoods),
      entered: this.enter(withProbability(texts, likelihoods.crossEntropy)),
    };
  }

  /** Writes a checkpoint and the adapter into the run folder, if there is one. */
  async save(prior: SampleStatistics): Promise<void> {
    const { folder, model, writer = model } = this.options;
    this.cost.seconds = this.seconds;
    if (folder === undefined) return;
    const state = await this.policy.snapshot();
    const position = { steps: this.steps, beta: this.beta, cost: this.cost, prior };
    writeTuneState(folder, { state, position }, loraOf(this.layout, state), writer.name);
  }

  /** Since the start, pauses between runs left out. */
  get seconds(): number {
    return (performance.now() - this.clockStart) / 1000;
  }

  async dispose(): Promise<void> {
    this.policy.dispose();
    this.likelihood.dispose();
    await this.probe.dispose();
  }

  private enter(texts: readonly ScoredText[]): ScoredText[] {
    return texts.filter((text) => this.frontier.add(text));
  }

  /** @param passes - of the writer; the subject takes one more */
  private count(sequences: number, passes: number): void {
    const { model, writer = model, length } = this.options;
    this.cost.evaluations += sequences;
    this.cost.token_layers += sequences * (length + 1) * (passes * writer.spec.layers + model.spec.layers);
  }
}

/** Samples that are texts, each with its cross entropy. */
function withProbability(texts: readonly (Rewarded | null)[], crossEntropy: Float32Array): ScoredText[] {
  return texts.flatMap((rewarded, row) => {
    if (rewarded === null) return [];
    const { text, token_ids, ...standing } = rewarded;
    return [{ text, token_ids, cross_entropy: crossEntropy[row]!, ...standing }];
  });
}
