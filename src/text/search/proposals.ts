/**
 * @file Which tokens to try at each position of a sequence: what the prior would write there, and what the
 * gradient of the unit asks for.
 */
import { type Compiled, compile, type EngineName } from '../../engine/compile.js';
import * as tf from '../../engine/tfjs.js';
import type { WeightLookup, WeightSource } from '../../engine/weights.js';
import { bannedMask } from '../draw-steps.js';
import type { Probe } from '../probe.js';
import { padRows } from '../rows.js';
import type { TransformerSpec } from '../spec.js';
import { embedTokens, forward, type Run, sequenceLogProbs, unembedding } from '../transformer.js';

/** Tokens to try at positions 1 … positions - 1 of one sequence, `count` a position, best first. */
export interface TokenLists {
  /** `[positions - 1, count]` */
  readonly ids: Int32Array;
  /** ln p(token | what stands before it), nats; `[positions - 1, count]`. */
  readonly logProbs: Float32Array;
  /**
   * First-order change of z, less what the rivals would gain of it, if the token stood there, in standard deviations over all tokens and
   * positions of the sequence; `[positions - 1, count]`.
   */
  readonly gains: Float32Array;
  readonly count: number;
}

export interface ProposerOptions {
  readonly spec: TransformerSpec;
  readonly weights: WeightSource;
  readonly probe: Probe;
  readonly banned: readonly number[];
  readonly positions: number;
  /** Sequences per call. */
  readonly batch: number;
  /** Tokens listed a position. */
  readonly count: number;
  readonly engine: EngineName;
}

/** Both kinds of proposals for a sequence. */
export interface Proposals {
  readonly prior: TokenLists;
  readonly gradient: TokenLists;
}

/** How much a standard deviation of gain counts against a nat when the gradient's tokens are listed. */
const GAIN_WEIGHT = 2;

/** Proposals for mutating sequences, compiled when first needed. */
export class Proposer {
  private readonly count: number;
  private lists: Promise<Compiled> | undefined;
  private ascent: Promise<Compiled> | undefined;

  constructor(private readonly options: ProposerOptions) {
    this.count = Math.min(options.count, options.spec.vocab - options.banned.length);
  }

  /**
   * @param rows - `[sequences, positions]`
   * @param gammas - one a sequence: how much the softmax-weighted rivals count in the gradient
   */
  async propose(rows: Int32Array, gammas: readonly number[]): Promise<Proposals[]> {
    this.lists ??= this.compileWith((inputs, weights) => this.listTokens(inputs, weights), {
      gamma: { shape: [this.options.batch] },
    });
    const program = await this.lists;
    return this.inBatches(rows, async (ids, start) => {
      const gamma = Float32Array.from({ length: this.options.batch }, (_, row) => gammas[start + row] ?? 0);
      const result = await program.run({ ids, gamma });
      const of = (kind: string, row: number): TokenLists => {
        const size = (this.options.positions - 1) * this.count;
        const part = <T extends Int32Array | Float32Array>(name: string) =>
          (result[`${kind}${name}`] as T).slice(row * size, (row + 1) * size) as T;
        return {
          ids: part<Int32Array>('Ids'),
          logProbs: part<Float32Array>('LogProbs'),
          gains: part<Float32Array>('Gains'),
          count: this.count,
        };
      };
      return (row) => ({ prior: of('prior', row), gradient: of('gradient', row) });
    });
  }

  /**
   * The `count` tokens a position that most raise z - lambda * cross entropy to first order, as evolutionary
   * prompt optimization draws from (the gradient with respect to the one-hot tokens).
   *
   * @param lambdas - one a sequence
   * @returns token ids, `[positions - 1, count]` a sequence
   */
  async steepest(rows: Int32Array, lambdas: readonly number[]): Promise<Int32Array[]> {
    this.ascent ??= this.compileWith((inputs, weights) => this.steepestTokens(inputs, weights), {
      lambda: { shape: [this.options.batch] },
    });
    const program = await this.ascent;
    return this.inBatches(rows, async (ids, start) => {
      const lambda = Float32Array.from({ length: this.options.batch }, (_, row) => lambdas[start + row] ?? 0);
      const { tokens } = await program.run({ ids, lambda });
      const size = (this.options.positions - 1) * this.count;
      return (row) => (tokens as Int32Array).slice(row * size, (row + 1) * size);
    });
  }

  async dispose(): Promise<void> {
    (await this.lists)?.dispose();
    (await this.ascent)?.dispose();
  }

  private compileWith(
    fn: (inputs: Record<string, tf.Tensor>, weights: WeightLookup) => Record<string, tf.Tensor>,
    more = {},
  ): Promise<Compiled> {
    const { batch, positions, weights, engine } = this.options;
    return compile(fn, {
      inputs: { ids: { shape: [batch, positions], dtype: 'int32' }, ...more },
      weights,
      engine,
    });
  }

  private async inBatches<T>(
    rows: Int32Array,
    call: (ids: Int32Array, start: number) => Promise<(row: number) => T>,
  ): Promise<T[]> {
    const { batch, positions } = this.options;
    const results: T[] = [];
    for (let start = 0; start < rows.length; start += batch * positions) {
      const part = rows.subarray(start, start + batch * positions);
      const result = await call(padRows(part, batch, positions), start / positions);
      for (let row = 0; row < part.length / positions; row++) results.push(result(row));
    }
    return results;
  }

  // -- traced ------------------------------------------------------------------------------------------------

  private listTokens(inputs: Record<string, tf.Tensor>, weights: WeightLookup): Record<string, tf.Tensor> {
    const { spec, banned } = this.options;
    const { slopes, logProbs } = this.tokenSlopes(inputs.ids!, weights, (run) =>
      tf.sum(this.options.probe.selectiveZ(weights, run, inputs.gamma!)),
    );
    const deviation = tf.sqrt(
      tf.mean(tf.square(tf.sub(slopes, tf.mean(slopes, [1, 2], true))), [1, 2], true),
    );
    const gains = tf.div(tf.sub(slopes, tf.mean(slopes, [1, 2], true)), tf.add(deviation, 1e-20));
    const allowed = bannedMask(spec.vocab, banned);
    const lists: Record<string, tf.Tensor> = {};
    const orders = { prior: logProbs, gradient: tf.add(logProbs, tf.mul(gains, GAIN_WEIGHT)) };
    for (const [kind, order] of Object.entries(orders)) {
      const { indices } = tf.topk(tf.add(order, allowed), this.count); // [batch, positions - 1, count]
      lists[`${kind}Ids`] = indices;
      lists[`${kind}LogProbs`] = pickLast(logProbs, indices);
      lists[`${kind}Gains`] = pickLast(gains, indices);
    }
    return lists;
  }

  private steepestTokens(
    inputs: Record<string, tf.Tensor>,
    weights: WeightLookup,
  ): Record<string, tf.Tensor> {
    const { spec, probe, banned, batch, positions } = this.options;
    const ids = inputs.ids!;
    const lambda = inputs.lambda!;
    const objective = (run: Run) => {
      const crossEntropy = tf.neg(tf.mean(sequenceLogProbs(spec, weights, run, ids), 1));
      return tf.sum(tf.sub(probe.unitZ(weights, run), tf.mul(lambda, crossEntropy)));
    };
    const { slopes, logProbs } = this.tokenSlopes(ids, weights, objective);
    // A token enters the cross entropy twice: as context (in the slopes) and as what is predicted.
    const predicted = tf.mul(logProbs, tf.div(tf.reshape(lambda, [batch, 1, 1]), positions - 1));
    const order = tf.add(tf.add(slopes, predicted), bannedMask(spec.vocab, banned));
    return { tokens: tf.topk(order, this.count).indices };
  }

  /**
   * For every position but the first and every token, both `[batch, positions - 1, vocab]`: the slope of an
   * objective along the token's embedding, and the token's log-probability there.
   */
  private tokenSlopes(
    ids: tf.Tensor,
    weights: WeightLookup,
    objective: (run: Run) => tf.Tensor,
  ): { slopes: tf.Tensor; logProbs: tf.Tensor } {
    const { spec, batch, positions } = this.options;
    const embeddings = embedTokens(spec, weights, ids);
    const gradient = tf.grad((x: tf.Tensor) => objective(forward(spec, weights, { embeddings: x })))(
      embeddings,
    );
    const steps = positions - 1;
    const toVocab = (x: tf.Tensor, matrix: tf.Tensor) =>
      tf.reshape(
        tf.matMul(
          tf.reshape(x, [batch * steps, spec.dModel]) as tf.Tensor2D,
          matrix as tf.Tensor2D,
          false,
          true,
        ),
        [batch, steps, spec.vocab],
      );
    const after = tf.slice(gradient, [0, 1, 0], [batch, steps, spec.dModel]);
    const hidden = forward(spec, weights, { embeddings }).at('ln_final.hook_normalized');
    const before = tf.slice(hidden, [0, 0, 0], [batch, steps, spec.dModel]);
    return {
      slopes: toVocab(after, tokenEmbedding(spec, weights)),
      logProbs: tf.logSoftmax(toVocab(before, unembedding(spec, weights))),
    };
  }
}

/** The whole embedding table, `[vocab, dModel]`. */
export function tokenEmbedding(spec: TransformerSpec, weights: WeightLookup): tf.Tensor {
  return spec.tiedEmbeddings
    ? unembedding(spec, weights)
    : embedTokens(spec, weights, tf.range(0, spec.vocab, 1, 'int32'));
}

/** Entries of the last axis by index: `[batch, pos, vocab]` at `[batch, pos, count]`. */
function pickLast(values: tf.Tensor, indices: tf.Tensor): tf.Tensor {
  const [batch, pos, vocab] = values.shape as [number, number, number];
  const count = indices.shape[2]!;
  const rows = tf.mul(tf.range(0, batch * pos, 1, 'int32'), tf.scalar(vocab, 'int32'));
  const flat = tf.add(tf.reshape(indices, [batch * pos, count]), tf.reshape(rows, [batch * pos, 1]));
  return tf.reshape(
    tf.gather(tf.reshape(values, [batch * pos * vocab]), tf.reshape(flat, [batch * pos * count])),
    [batch, pos, count],
  );
}
