/**
 * @file A language model that learns: its frozen weights, adapters in training, and samples of what it is now.
 */

import type { Random } from '../core/random.js';
import type { Resident } from '../engine/compile.js';
import * as tf from '../engine/functions/tfjs.js';
import { adamW } from '../engine/training/optimizer.js';
import { Trainer, type TrainingState } from '../engine/training/trainer.js';
import type { Subject } from '../text/lm/subject.js';
import { forward, sequenceLogProbs } from '../text/lm/transformer.js';
import { bannedMask } from '../text/sampling/draw-steps.js';
import { Sampler } from '../text/sampling/sampler.js';
import { type Lora, type LoraLayout, loraLookup, loraShapes } from './lora.js';
import { type GradientChoice, k1, k3, policyLoss } from './policy-gradient.js';

export interface PolicyOptions {
  /** The frozen model, which is also the prior; its special tokens have no probability under either. */
  readonly subject: Subject;
  /** Where training starts. */
  readonly lora: Lora;
  /** Positions of a sequence, BOS included. */
  readonly positions: number;
  /** Sequences a step. */
  readonly batch: number;
  readonly gradient: GradientChoice;
  /** Largest L2 norm of a step's gradient. */
  readonly clipNorm: number;
  readonly weightDecay: number;
}

/** What a step measured over its sequences, before the update. */
export interface PolicyStep {
  /** Nats a sequence: mean of ln q/p, and of p/q - 1 - ln p/q. */
  readonly klK1: number;
  readonly klK3: number;
  /** Nats a token, the mean of -ln q. */
  readonly entropy: number;
  /** Nats a token under the frozen prior, special tokens not excluded; `[batch]`. */
  readonly crossEntropy: Float32Array;
  readonly advantageDeviation: number;
  readonly advantageLargest: number;
  /** L2, before clipping. */
  readonly gradientNorm: number;
}

export class Policy {
  private constructor(
    private readonly trainer: Trainer,
    private readonly sampler: Sampler,
  ) {}

  /** @param from - a state of `snapshot()` and the steps it had seen */
  static async create(
    options: PolicyOptions,
    from?: { state: TrainingState; steps: number },
  ): Promise<Policy> {
    const { subject, lora, positions, batch, clipNorm, weightDecay } = options;
    const { layout } = lora;
    const trainer = await Trainer.create(
      {
        loss: (inputs, lookup) => stepLoss(options, inputs, lookup),
        inputs: {
          ids: { shape: [batch, positions], dtype: 'int32' },
          reward: { shape: [batch] },
          beta: { shape: [] },
        },
        parameters: lora.arrays,
        frozen: subject.weights,
        rule: () => adamW({ weightDecay }),
        clipNorm,
        engine: subject.engine,
      },
      from,
    );
    const changing = {
      shapes: loraShapes(layout),
      current: () => trainer.parameters,
      lookup: (arrays: Lookup, frozen: Lookup) => loraLookup(layout, arrays, frozen),
    };
    const sampler = await Sampler.create({ subject, changing, positions, batch });
    return new Policy(trainer, sampler);
  }

  /** Steps taken so far. */
  get steps(): number {
    return this.trainer.steps;
  }

  /** The adapters of this moment, by name. */
  get arrays(): ReadonlyMap<string, Resident> {
    return this.trainer.parameters;
  }

  /** Token ids drawn from the policy as it is, `[count, positions]`, BOS in front. */
  sample(count: number, random: Random): Promise<Int32Array> {
    return this.sampler.sample(count, random);
  }

  /**
   * One update. The sequences must be samples of the policy as it is.
   *
   * @param ids - `[batch, positions]`
   * @param reward - `[batch]`
   * @param beta - reward a nat of divergence
   */
  async step(ids: Int32Array, reward: Float32Array, beta: number, rate: number): Promise<PolicyStep> {
    const { gradientNorm, report } = await this.trainer.step(
      { ids, reward, beta: Float32Array.of(beta) },
      rate,
    );
    const scalar = (name: string) => report[name]![0]!;
    return {
      klK1: scalar('klK1'),
      klK3: scalar('klK3'),
      entropy: scalar('entropy'),
      crossEntropy: report.crossEntropy as Float32Array,
      advantageDeviation: scalar('advantageDeviation'),
      advantageLargest: scalar('advantageLargest'),
      gradientNorm,
    };
  }

  /** Adapters and the optimizer's averages. */
  snapshot(): Promise<TrainingState> {
    return this.trainer.snapshot();
  }

  dispose(): void {
    this.sampler.dispose();
    this.trainer.dispose();
  }
}

type Lookup = (name: string) => tf.Tensor;

/** The adapters of a training state, without the optimizer's averages. */
export function loraOf(layout: LoraLayout, state: TrainingState): Lora {
  return { layout, arrays: new Map([...loraShapes(layout).keys()].map((name) => [name, state.get(name)!])) };
}

/** Policy and prior read the same sequences; one graph has the loss and all that is reported. */
function stepLoss(
  { lora, subject, gradient }: PolicyOptions,
  { ids, reward, beta }: Record<string, tf.Tensor>,
  lookup: Lookup,
): { loss: tf.Scalar; report: Record<string, tf.Tensor> } {
  const { layout } = lora;
  const { spec, special } = subject;
  const mask = bannedMask(spec.vocab, special);
  const read = (weights: Lookup) => forward(spec, weights, { ids: ids! });
  const prior = read(lookup);
  const logP = sequenceLogProbs(spec, lookup, prior, ids!, mask);
  const adapted = loraLookup(layout, lookup, lookup);
  const logQ = sequenceLogProbs(spec, adapted, read(adapted), ids!, mask);
  const { loss, ...statistics } = policyLoss(logQ, logP, reward!, beta!, gradient);
  const aSequence = (values: tf.Tensor) => tf.mean(tf.sum(values, 1));
  return {
    loss,
    report: {
      ...statistics,
      klK1: aSequence(k1(logQ, logP)),
      klK3: aSequence(k3(logQ, logP)),
      entropy: tf.neg(tf.mean(logQ)),
      crossEntropy: tf.neg(tf.mean(sequenceLogProbs(spec, lookup, prior, ids!), 1)),
    },
  };
}
