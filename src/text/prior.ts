/**
 * @file Drawing text from a language model: whole sequences, or some tokens of given ones anew.
 *
 * One compiled step reads a token a row with a key-value cache and draws the next; every row stands at a
 * position of its own, so rows that differ in where they are rewritten share a batch.
 */
import { type Compiled, compile, type EngineName, type Resident, resident } from '../engine/compile.js';
import type { Random } from '../engine/random.js';
import * as tf from '../engine/tfjs.js';
import type { WeightSource } from '../engine/weights.js';
import type { TransformerSpec } from './spec.js';
import { forward, step } from './transformer.js';

export interface PriorOptions {
  readonly spec: TransformerSpec;
  readonly weights: WeightSource;
  /** Tokens that are never drawn (BOS, padding …). */
  readonly banned: readonly number[];
  /** Positions of a sequence, BOS included. */
  readonly positions: number;
  /** Rows drawn together; fewer are filled up. */
  readonly batch: number;
  readonly engine: EngineName;
}

/** Which tokens of a row to draw anew: `count` of them, the first at position `from` (at least 1). */
export interface Rewrite {
  readonly from: number;
  readonly count: number;
}

type CacheEntries = Record<string, Resident>;

/** Draws from p(x_t | x_<t). All results depend on the seed of the given generator alone. */
export class Prior {
  private constructor(
    private readonly options: PriorOptions,
    private readonly drawStep: Compiled,
    private readonly readSequences: Compiled,
    private readonly empty: CacheEntries,
  ) {}

  static async create(options: PriorOptions): Promise<Prior> {
    const { spec, weights, batch, positions, engine } = options;
    const shape = [batch, spec.kvHeads, positions, spec.dHead];
    const cacheSpecs = Object.fromEntries(cacheNames(spec).map((name) => [name, { shape }]));
    const drawStep = await compile((inputs, lookup) => draw(options, inputs, lookup), {
      inputs: {
        ids: { shape: [batch], dtype: 'int32' },
        positions: { shape: [batch], dtype: 'int32' },
        uniform: { shape: [batch] },
        sharpness: { shape: [] },
        ...cacheSpecs,
      },
      weights,
      engine,
    });
    const readSequences = await compile(
      (inputs, lookup) => named(forward(spec, lookup, { ids: inputs.ids! }).cache()),
      { inputs: { ids: { shape: [batch, positions], dtype: 'int32' } }, weights, engine },
    );
    const zeros = new Float32Array(batch * spec.kvHeads * positions * spec.dHead);
    const empty: CacheEntries = {};
    for (const name of cacheNames(spec)) empty[name] = await resident(zeros, { shape }, engine);
    return new Prior(options, drawStep, readSequences, empty);
  }

  /**
   * Whole sequences after BOS.
   *
   * @returns token ids, `[count, positions]`, BOS in front
   */
  async sample(count: number, bos: number, random: Random, temperature = 1): Promise<Int32Array> {
    const { positions } = this.options;
    const rows = new Int32Array(count * positions);
    for (let row = 0; row < count; row++) rows[row * positions] = bos;
    const all = Array<Rewrite>(count).fill({ from: 1, count: positions - 1 });
    return this.rewrite(rows, all, random, temperature);
  }

  /**
   * Draws some tokens of each row anew, left to right, given what stands before them; what follows stays.
   *
   * @param rows - token ids, `[count, positions]`; not changed
   */
  async rewrite(
    rows: Int32Array,
    rewrites: readonly Rewrite[],
    random: Random,
    temperature = 1,
  ): Promise<Int32Array> {
    const { batch, positions } = this.options;
    const result = rows.slice();
    for (let start = 0; start < rewrites.length; start += batch) {
      const part = rewrites.slice(start, start + batch);
      const slice = result.subarray(start * positions, (start + part.length) * positions);
      await this.rewriteBatch(slice, part, random, temperature);
    }
    return result;
  }

  /** In place; the rest of the batch is filled with the first row. */
  private async rewriteBatch(
    rows: Int32Array,
    rewrites: readonly Rewrite[],
    random: Random,
    temperature: number,
  ): Promise<void> {
    const { spec, batch, positions } = this.options;
    const full = padRows(rows, batch, positions);
    const plan = Array.from({ length: batch }, (_, row) => rewrites[row] ?? { from: 1, count: 0 });
    const fresh = rewrites.every(({ from }) => from === 1);
    let cache = fresh
      ? this.empty
      : (await this.readSequences.runKeeping({ ids: full }, cacheNames(spec))).kept;
    const steps = Math.max(...rewrites.map(({ count }) => count));
    for (let done = 0; done < steps; done++) {
      // A row that is finished reads its last token again, to no effect.
      const at = Int32Array.from(
        plan,
        ({ from, count }) => from - 1 + Math.min(done, Math.max(0, count - 1)),
      );
      const ids = at.map((position, row) => full[row * positions + position]!);
      const inputs = {
        ids,
        positions: at,
        uniform: random.uniforms(batch),
        sharpness: [1 / temperature],
        ...cache,
      };
      const { values, kept } = await this.drawStep.runKeeping(inputs, cacheNames(spec));
      if (cache !== this.empty) release(cache);
      cache = kept;
      for (const [row, { from, count }] of plan.entries()) {
        if (done < count) full[row * positions + from + done] = values.next![row]!;
      }
    }
    if (cache !== this.empty) release(cache);
    rows.set(full.subarray(0, rows.length));
  }

  dispose(): void {
    this.drawStep.dispose();
    this.readSequences.dispose();
    release(this.empty);
  }
}

/** One step: reads a token, draws the next by inverting the cumulative distribution at a uniform number. */
function draw(
  options: PriorOptions,
  inputs: Record<string, tf.Tensor>,
  lookup: (name: string) => tf.Tensor,
): Record<string, tf.Tensor> {
  const { spec, banned, batch } = options;
  const layers = Array.from({ length: spec.layers }, (_, layer) => layer);
  const cache = {
    keys: layers.map((l) => inputs[`keys${l}`]!),
    values: layers.map((l) => inputs[`values${l}`]!),
  };
  const read = step(spec, lookup, { ids: inputs.ids!, positions: inputs.positions!, cache });
  const logits = tf.reshape(read.at('logits'), [batch, spec.vocab]);
  const allowed = tf.add(tf.mul(logits, inputs.sharpness!), bannedMask(spec.vocab, banned));
  const cumulative = tf.cumsum(tf.softmax(allowed), 1);
  const below = tf.lessEqual(cumulative, tf.expandDims(inputs.uniform!, 1));
  const next = tf.minimum(tf.sum(tf.cast(below, 'int32'), 1), spec.vocab - 1);
  return { next: tf.cast(next, 'int32'), ...named(read.cache()) };
}

/** `[vocab]`: what is added to logits so that banned tokens get no probability. */
export function bannedMask(vocab: number, banned: readonly number[]): tf.Tensor1D {
  const mask = new Float32Array(vocab);
  for (const id of banned) mask[id] = -1e9;
  return tf.tensor1d(mask);
}

/** Rows repeated up to a full batch, `[batch, positions]`. */
export function padRows(rows: Int32Array, batch: number, positions: number): Int32Array {
  const full = new Int32Array(batch * positions);
  for (let start = 0; start < full.length; start += positions) {
    full.set(
      start < rows.length ? rows.subarray(start, start + positions) : rows.subarray(0, positions),
      start,
    );
  }
  return full;
}

function cacheNames(spec: TransformerSpec): string[] {
  return Array.from({ length: spec.layers }, (_, layer) => [`keys${layer}`, `values${layer}`]).flat();
}

function named({
  keys,
  values,
}: {
  keys: readonly tf.Tensor[];
  values: readonly tf.Tensor[];
}): Record<string, tf.Tensor> {
  return Object.fromEntries(
    keys.flatMap((key, layer) => [
      [`keys${layer}`, key],
      [`values${layer}`, values[layer]!],
    ]),
  );
}

function release(cache: CacheEntries): void {
  for (const entry of Object.values(cache)) entry.release();
}
