/**
 * @file Which tokens to try at each position of a sequence: what the prior would write there, and what the
 * gradient of the unit asks for.
 */

import { OnDemand } from '../../core/on-demand.js';
import { type Compiled, compile, type Precision } from '../../engine/compile.js';
import { logSoftmax } from '../../engine/functions/ops.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { TypedArray } from '../../engine/tensor-spec.js';
import type { WeightLookup } from '../../engine/weights/weights.js';
import { embeddingTable, embedTokens } from '../lm/embed.js';
import { padRows, stackRows } from '../lm/rows.js';
import type { Subject } from '../lm/subject.js';
import { forward, type Pass, sequenceLogProbs } from '../lm/transformer.js';
import { unembed } from '../lm/unembed.js';
import type { Probe } from '../readouts/probe.js';
import { bannedMask } from '../sampling/draw-steps.js';

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
  readonly probe: Probe;
  readonly positions: number;
  /** Sequences per call of `propose`. */
  readonly batch: number;
  /** Rows per call of `steepest`, of which some may be of the same text. */
  readonly asked: number;
  /** Tokens listed a position. */
  readonly count: number;
  /** Default: float32. */
  readonly precision?: Precision;
  /** Whether `steepest` knows the cross entropy; where lambdas are all 0 it need not. Default: yes. */
  readonly fluency?: boolean;
}

/** Largest number of distinct texts among the `asked` rows of one call of `steepest`: most of EPO's members share one. */
const textsOf = (asked: number) => Math.ceil(asked / 2);

/** Both kinds of proposals for a sequence. */
export interface Proposals {
  readonly likely: TokenLists;
  readonly gradient: TokenLists;
}

/** How much a standard deviation of gain counts against a nat when the gradient's tokens are listed. */
const GAIN_WEIGHT = 2;

/** Proposals for mutating sequences, compiled when first needed. */
export class Proposer {
  /** Token positions times layers computed so far; each backward pass counts as one more forward. */
  tokenLayers = 0;
  private readonly count: number;
  private readonly lists = new OnDemand<'lists', Compiled>();
  /** Graphs of `steepest` by how many texts they take. */
  private readonly ascents = new OnDemand<number, Compiled>();

  constructor(readonly options: ProposerOptions) {
    const { spec } = this.subject;
    this.count = Math.min(options.count, spec.vocab - this.subject.excluded().length);
  }

  private get subject(): Subject {
    return this.options.probe.options.subject;
  }

  /**
   * @param rows - `[sequences, positions]`
   * @param gammas - one a sequence: how much the softmax-weighted rivals count in the gradient
   */
  async propose(rows: Int32Array, gammas: readonly number[]): Promise<Proposals[]> {
    const { batch, positions } = this.options;
    const program = await this.lists.get('lists', () =>
      this.compileWith(batch, (inputs, weights) => this.listTokens(inputs, weights), {
        gamma: { shape: [batch] },
      }),
    );
    const found: Proposals[] = [];
    while (found.length < gammas.length) {
      const start = found.length;
      const part = rows.subarray(start * positions, (start + batch) * positions);
      const gamma = Array.from({ length: batch }, (_, row) => gammas[start + row] ?? 0);
      const result = await program.run({ ids: padRows(part, batch, positions), gamma });
      this.tokenLayers += 2 * batch * positions * this.subject.spec.layers;
      for (let row = 0; row < part.length / positions; row++)
        found.push(proposalsOf(result, row, positions, this.count));
    }
    return found;
  }

  /**
   * The `count` tokens a position that most raise z - lambda * cross entropy to first order, as evolutionary
   * prompt optimization draws from (the gradient with respect to the one-hot tokens). Rows may be the same: gradients are
   * computed once a text.
   *
   * @param lambdas - one per row
   * @returns token ids, `[positions - 1, count]` a row
   */
  async steepest(rows: readonly Int32Array[], lambdas: readonly number[]): Promise<Int32Array[]> {
    const { positions, asked } = this.options;
    const size = (positions - 1) * this.count;
    const most = textsOf(asked);
    // Compiling for each number of texts would take longer than it saves.
    const half = Math.ceil(most / 2);
    const found: Int32Array[] = [];
    while (found.length < rows.length) {
      const start = found.length;
      const texts = new Map<string, Int32Array>();
      /** For each row of this call, which of its texts it is. */
      const text: number[] = [];
      for (const row of rows.slice(start, start + asked)) {
        const key = row.join();
        if (!texts.has(key) && texts.size === most) break;
        texts.set(key, row);
        text.push([...texts.keys()].indexOf(key));
      }
      const batch = texts.size > half ? most : half;
      const { tokens } = await (await this.ascent(batch)).run({
        ids: padRows(stackRows([...texts.values()]), batch, positions),
        text: Array.from({ length: asked }, (_, i) => text[i] ?? 0),
        lambda: Array.from({ length: asked }, (_, i) => lambdas[start + i] ?? 0),
      });
      this.tokenLayers += this.ascentLayers * batch * positions;
      for (const i of text.keys()) found.push((tokens as Int32Array).slice(i * size, (i + 1) * size));
    }
    return found;
  }

  async dispose(): Promise<void> {
    await Promise.all([this.lists.dispose(), this.ascents.dispose()]);
  }

  /** Layers that `steepest` computes of a position. */
  private get ascentLayers(): number {
    const { fluency = true, probe } = this.options;
    return fluency ? 3 * this.subject.spec.layers : 2 * probe.layers;
  }

  private ascent(texts: number): Promise<Compiled> {
    const { asked } = this.options;
    return this.ascents.get(texts, () =>
      this.compileWith(texts, (inputs, weights) => this.steepestTokens(inputs, weights), {
        text: { shape: [asked], dtype: 'int32' },
        lambda: { shape: [asked] },
      }),
    );
  }

  private compileWith(
    batch: number,
    fn: (inputs: Record<string, tf.Tensor>, weights: WeightLookup) => Record<string, tf.Tensor>,
    more = {},
  ): Promise<Compiled> {
    const { positions, probe, precision = 'float32' } = this.options;
    return compile(fn, {
      inputs: { ids: { shape: [batch, positions], dtype: 'int32' }, ...more },
      ...probe.compiling,
      precision,
    });
  }

  // -- traced ------------------------------------------------------------------------------------------------

  private listTokens(inputs: Record<string, tf.Tensor>, weights: WeightLookup): Record<string, tf.Tensor> {
    const { probe } = this.options;
    const worth = (pass: Pass) => tf.sum(probe.selectiveZ(weights, pass, inputs.gamma!));
    return listTokens(this.subject, weights, inputs.ids!, worth, this.count);
  }

  private steepestTokens(
    inputs: Record<string, tf.Tensor>,
    weights: WeightLookup,
  ): Record<string, tf.Tensor> {
    const { probe, positions, asked, fluency = true } = this.options;
    const { spec } = this.subject;
    const ids = inputs.ids!;
    const z = slopesOf(this.subject, weights, ids, (pass) => tf.sum(probe.unitZ(weights, pass)));
    const mask = bannedMask(spec.vocab, this.subject.excluded());
    const best = (order: tf.Tensor) => tf.topk(tf.add(order, mask), this.count).indices;
    if (!fluency) return { tokens: tf.gather(best(z), inputs.text as tf.Tensor1D) };
    // A token enters the cross entropy twice: as context and as what is predicted.
    const slopes = tf.add(
      slopesOf(this.subject, weights, ids, (pass) =>
        tf.sum(tf.mean(sequenceLogProbs(spec, weights, pass, ids), 1)),
      ),
      tf.div(logProbsOf(this.subject, weights, ids), positions - 1),
    );
    // A row at a time: of a large vocabulary, orders of all are more than all else.
    const rows = Array.from({ length: asked }, (_, row) => {
      const of = (x: tf.Tensor) => tf.gather(x, tf.slice(inputs.text!, [row], [1]) as tf.Tensor1D); // [1, ...]
      return best(tf.add(of(z), tf.mul(tf.slice(inputs.lambda!, [row], [1]), of(slopes))));
    });
    return { tokens: rows.length === 1 ? rows[0]! : tf.concat(rows, 0) };
  }
}

/** The proposals for one sequence of those that `listTokens` listed. */
export function proposalsOf(
  listed: Readonly<Record<string, TypedArray>>,
  row: number,
  positions: number,
  count: number,
): Proposals {
  const size = (positions - 1) * count;
  const of = (kind: string): TokenLists => {
    const part = <T extends TypedArray>(name: string) =>
      (listed[`${kind}${name}`] as T).slice(row * size, (row + 1) * size) as T;
    return {
      ids: part<Int32Array>('Ids'),
      logProbs: part<Float32Array>('LogProbs'),
      gains: part<Float32Array>('Gains'),
      count,
    };
  };
  return { likely: of('likely'), gradient: of('gradient') };
}

/**
 * Both lists of tokens for sequences `[batch, positions]`, as columns that `proposalsOf` reads.
 *
 * @param worth - what the gradient is taken of, a scalar; each sequence has its own share in it
 * @param count - tokens listed a position
 */
export function listTokens(
  subject: Subject,
  weights: WeightLookup,
  ids: tf.Tensor,
  worth: (pass: Pass) => tf.Tensor,
  count: number,
): Record<string, tf.Tensor> {
  const slopes = slopesOf(subject, weights, ids, worth);
  const logProbs = logProbsOf(subject, weights, ids);
  const deviation = tf.sqrt(tf.mean(tf.square(tf.sub(slopes, tf.mean(slopes, [1, 2], true))), [1, 2], true));
  const gains = tf.div(tf.sub(slopes, tf.mean(slopes, [1, 2], true)), tf.add(deviation, 1e-20));
  const allowed = bannedMask(subject.spec.vocab, subject.excluded());
  const lists: Record<string, tf.Tensor> = {};
  const orders = { likely: logProbs, gradient: tf.add(logProbs, tf.mul(gains, GAIN_WEIGHT)) };
  for (const [kind, order] of Object.entries(orders)) {
    const { indices } = tf.topk(tf.add(order, allowed), count); // [batch, positions - 1, count]
    lists[`${kind}Ids`] = indices;
    lists[`${kind}LogProbs`] = pickLast(logProbs, indices);
    lists[`${kind}Gains`] = pickLast(gains, indices);
  }
  return lists;
}

/** The slope of an objective along each token's embedding, `[batch, positions - 1, vocab]`, the first position left out. */
function slopesOf(
  { spec }: Subject,
  weights: WeightLookup,
  ids: tf.Tensor,
  worth: (pass: Pass) => tf.Tensor,
): tf.Tensor {
  const gradient = tf.grad((x: tf.Tensor) => worth(forward(spec, weights, { embeddings: x })));
  const all = gradient(embedTokens(spec, weights, ids));
  return byToken(tf.slice(all, [0, 1, 0]), embeddingTable(spec, weights));
}

/** ln p of each token at each position but the first, `[batch, positions - 1, vocab]`. */
function logProbsOf({ spec }: Subject, weights: WeightLookup, ids: tf.Tensor): tf.Tensor {
  const [batch, positions] = ids.shape as [number, number];
  const hidden = forward(spec, weights, { embeddings: embedTokens(spec, weights, ids) }).at(
    'ln_final.hook_normalized',
  );
  const before = tf.slice(hidden, [0, 0, 0], [batch, positions - 1, spec.dModel]);
  return logSoftmax(unembed(spec, weights, before));
}

/** Products of `[batch, pos, dModel]` with each token's row of `[vocab, dModel]`: `[batch, pos, vocab]`. */
function byToken(x: tf.Tensor, matrix: tf.Tensor2D): tf.Tensor {
  const [batch, pos, dModel] = x.shape as [number, number, number];
  const rows = tf.reshape(x, [batch * pos, dModel]) as tf.Tensor2D;
  return tf.reshape(tf.matMul(rows, matrix, false, true), [batch, pos, matrix.shape[0]]);
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
