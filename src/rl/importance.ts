/** @file How probable sequences are under an adapted model and under the frozen one: importance weights. */
import { type Compiled, compile, type RunInput } from '../engine/compile.js';
import * as tf from '../engine/functions/tfjs.js';
import { padRows } from '../text/lm/rows.js';
import type { Subject } from '../text/lm/subject.js';
import { forward, sequenceLogProbs } from '../text/lm/transformer.js';
import { bannedMask } from '../text/sampling/draw-steps.js';
import { type LoraLayout, loraLookup, loraShapes } from './lora.js';

export interface LikelihoodOptions {
  readonly layout: LoraLayout;
  /** The frozen model. */
  readonly subject: Subject;
  readonly positions: number;
  readonly batch: number;
}

/** Figures of each sequence; arrays are `[count]`. */
export interface Likelihoods {
  /**
   * ln p(x) - ln q(x), nats a sequence: the weight that makes samples of the adapted model q count as samples of the
   * frozen p. For the target p exp(r / beta), add r / beta.
   */
  readonly logWeights: Float32Array;
  /** Nats a token under the frozen model, special tokens not excluded. */
  readonly crossEntropy: Float32Array;
}

/** Probabilities of sequences under an adapted model and the frozen one, in one compiled graph. */
export class Likelihood {
  private constructor(
    private readonly options: LikelihoodOptions,
    private readonly program: Compiled,
  ) {}

  static async create(options: LikelihoodOptions): Promise<Likelihood> {
    const { layout, positions, batch } = options;
    const { spec, weights, engine, special } = options.subject;
    const arrays = [...loraShapes(layout)].map(([name, shape]) => [name, { shape }] as const);
    const program = await compile(
      (inputs, frozen) => {
        const ids = inputs.ids!;
        const mask = bannedMask(spec.vocab, special);
        const adapted = loraLookup(layout, (name) => inputs[name]!, frozen);
        const prior = forward(spec, frozen, { ids });
        const logP = sequenceLogProbs(spec, frozen, prior, ids, mask);
        const logQ = sequenceLogProbs(spec, adapted, forward(spec, adapted, { ids }), ids, mask);
        return {
          logWeights: tf.sum(tf.sub(logP, logQ), 1),
          crossEntropy: tf.neg(tf.mean(sequenceLogProbs(spec, frozen, prior, ids), 1)),
        };
      },
      {
        inputs: { ids: { shape: [batch, positions], dtype: 'int32' }, ...Object.fromEntries(arrays) },
        weights,
        engine,
      },
    );
    return new Likelihood(options, program);
  }

  /**
   * @param ids - `[count, positions]`, BOS in front
   * @param arrays - the adapter's, by name
   */
  async of(ids: Int32Array, arrays: ReadonlyMap<string, RunInput>): Promise<Likelihoods> {
    const { batch, positions, layout } = this.options;
    const count = ids.length / positions;
    const result = { logWeights: new Float32Array(count), crossEntropy: new Float32Array(count) };
    const fed = Object.fromEntries([...loraShapes(layout).keys()].map((name) => [name, arrays.get(name)!]));
    for (let start = 0; start < count; start += batch) {
      const part = ids.subarray(start * positions, Math.min(count, start + batch) * positions);
      const values = await this.program.run({ ...fed, ids: padRows(part, batch, positions) });
      const rows = part.length / positions;
      result.logWeights.set((values.logWeights as Float32Array).subarray(0, rows), start);
      result.crossEntropy.set((values.crossEntropy as Float32Array).subarray(0, rows), start);
    }
    return result;
  }

  dispose(): void {
    this.program.dispose();
  }
}
