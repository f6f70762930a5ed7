/**
 * @file Drawing text from a language model: whole sequences, or some tokens of given ones anew.
 *
 * One compiled step reads a token a row with a key-value cache and draws the next; every row stands at a
 * position of its own, so rows that differ in where they are rewritten share a batch.
 */
import {
  type Compiled,
  compile,
  type EngineName,
  type Precision,
  type Resident,
  resident,
} from '../engine/compile.js';
import type { Random } from '../engine/random.js';
import * as tf from '../engine/tfjs.js';
import type { WeightLookup, WeightSource } from '../engine/weights.js';
import type { TransformerSpec } from './spec.js';
import { forward, type KeyValueCache, step } from './transformer.js';

/** Weights that change between calls, without compiling anew: made of arrays that are arguments of the graph. */
export interface ChangingWeights {
  /** Shapes of the arrays, by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The arrays of this moment. */
  current(): ReadonlyMap<string, Resident>;
  /** The model's weights, given the arrays and the weights that stay. */
  lookup(arrays: WeightLookup, frozen: WeightLookup): WeightLookup;
}

export interface PriorOptions {
  readonly spec: TransformerSpec;
  readonly weights: WeightSource;
  readonly changing?: ChangingWeights;
  /** Tokens that are never drawn (BOS, padding …). */
  readonly banned: readonly number[];
  /** Positions of a sequence, BOS included. */
  readonly positions: number;
  /** Rows drawn together; fewer are filled up. */
  readonly batch: number;
  readonly engine: EngineName;
  /** int8 for drafts, whose worth is counted elsewhere; float32 unless told otherwise. */
  readonly precision?: Precision;
}

/** Which tokens of a row to draw anew: `count` of them, the first at position `from` (at least 1). */
export interface Rewrite {
  readonly from: number;
  readonly count: number;
  /** Below 1 the likely is drawn more often than it occurs; 1 unless told otherwise. */
  readonly temperature?: number;
}

type CacheEntries = Record<string, Resident>;

/** Tokens drawn in one call of the graph: enough to hide the call, few enough to compile fast. */
const STEPS = 4;

/** To be raised when the same seed draws other text than before: what was counted over samples is counted anew. */
export const samplerVersion = 3;

/** Draws from p(x_t | x_<t). All results depend on the seed of the given generator alone. */
export class Prior {
  private reading: Promise<Compiled> | undefined;

  private constructor(
    private readonly options: PriorOptions,
    private readonly drawSteps: Compiled,
    private readonly empty: CacheEntries,
  ) {}

  /** Reads what stands before a rewrite; compiled when first needed, since whole samples need none. */
  private readSequences(): Promise<Compiled> {
    const { spec, weights, batch, positions, engine, changing } = this.options;
    this.reading ??= compile(
      (inputs, lookup) =>
        namedCache(forward(spec, changed(this.options, inputs, lookup), { ids: inputs.ids! }).cache()),
      {
        inputs: { ...changingInputs(changing), ids: { shape: [batch, positions], dtype: 'int32' } },
        weights,
        engine,
      },
    );
    return this.reading;
  }

  static async create(options: PriorOptions): Promise<Prior> {
    const { spec, weights, batch, positions, engine, precision = 'float32' } = options;
    const shape = [batch, spec.kvHeads, positions, spec.dHead];
    const names = cacheNames(spec);
    const changing = changingInputs(options.changing);
    const drawSteps = await compile(
      (inputs, lookup) => draw(options, inputs, changed(options, inputs, lookup)),
      {
        inputs: {
          ...changing,
          ids: { shape: [batch, positions], dtype: 'int32' },
          from: { shape: [batch], dtype: 'int32' },
          count: { shape: [batch], dtype: 'int32' },
          uniform: { shape: [batch, STEPS] },
          sharpness: { shape: [batch, 1] },
          ...Object.fromEntries(names.map((name) => [name, { shape }])),
        },
        ...{ weights, engine, precision },
      },
    );
    const zeros = new Float32Array(batch * spec.kvHeads * positions * spec.dHead);
    const empty: CacheEntries = {};
    for (const name of names) empty[name] = await resident(zeros, { shape }, engine);
    return new Prior(options, drawSteps, empty);
  }

  /** Tokens drawn in one call: rewrites of as many or fewer cost the same. */
  readonly stride = STEPS;

  /**
   * Whole sequences after BOS.
   *
   * @returns token ids, `[count, positions]`, BOS in front
   */
  async sample(count: number, bos: number, random: Random, temperature = 1): Promise<Int32Array> {
    const { positions } = this.options;
    const rows = new Int32Array(count * positions);
    for (let row = 0; row < count; row++) rows[row * positions] = bos;
    const all = Array<Rewrite>(count).fill({ from: 1, count: positions - 1, temperature });
    return this.rewrite(rows, all, random);
  }

  /**
   * Draws some tokens of each row anew, left to right, given what stands before them; what follows stays.
   *
   * @param rows - token ids, `[count, positions]`; not changed
   */
  async rewrite(rows: Int32Array, rewrites: readonly Rewrite[], random: Random): Promise<Int32Array> {
    const { batch, positions } = this.options;
    const result = rows.slice();
    for (let start = 0; start < rewrites.length; start += batch) {
      const part = rewrites.slice(start, start + batch);
      const slice = result.subarray(start * positions, (start + part.length) * positions);
      slice.set((await this.rewriteBatch(slice, part, random)).subarray(0, slice.length));
    }
    return result;
  }

  private async rewriteBatch(
    rows: Int32Array,
    rewrites: readonly Rewrite[],
    random: Random,
  ): Promise<Int32Array> {
    const { spec, batch, positions } = this.options;
    const names = cacheNames(spec);
    const arrays = currentArrays(this.options.changing);
    let ids = padRows(rows, batch, positions);
    // Before position 1 there is BOS alone, which the first step reads itself.
    const fresh = rewrites.every(({ from }) => from === 1);
    let cache = this.empty;
    if (!fresh) cache = (await (await this.readSequences()).runKeeping({ ...arrays, ids }, names)).kept;
    const sharpness = Array.from({ length: batch }, (_, row) => 1 / (rewrites[row]?.temperature ?? 1));
    const longest = Math.max(...rewrites.map(({ count }) => count));
    for (let done = 0; done < longest; done += STEPS) {
      const plan = Array.from({ length: batch }, (_, row) => rest(rewrites[row], done));
      const inputs = {
        ...arrays,
        ids,
        from: plan.map(({ from }) => from),
        count: plan.map(({ count }) => count),
        uniform: random.uniforms(batch * STEPS),
        sharpness,
        ...cache,
      };
      const { values, kept } = await this.drawSteps.runKeeping(inputs, names);
      if (cache !== this.empty) release(cache);
      cache = kept;
      ids = values.drawn as Int32Array;
    }
    if (cache !== this.empty) release(cache);
    return ids;
  }

  dispose(): void {
    this.drawSteps.dispose();
    void this.reading?.then((reading) => reading.dispose());
    release(this.empty);
  }
}

// -- weights as arguments ----------------------------------------------------------------------------------------

const inputName = (array: string) => `changing ${array}`;

function changingInputs(changing: ChangingWeights | undefined): Record<string, { shape: readonly number[] }> {
  return Object.fromEntries(
    [...(changing?.shapes ?? [])].map(([name, shape]) => [inputName(name), { shape }]),
  );
}

function currentArrays(changing: ChangingWeights | undefined): Record<string, Resident> {
  const arrays = changing?.current();
  return Object.fromEntries(
    [...(changing?.shapes.keys() ?? [])].map((name) => [inputName(name), arrays!.get(name)!]),
  );
}

function changed(
  { changing }: PriorOptions,
  inputs: Record<string, tf.Tensor>,
  frozen: WeightLookup,
): WeightLookup {
  return changing ? changing.lookup((name) => inputs[inputName(name)]!, frozen) : frozen;
}

// -- drawing -----------------------------------------------------------------------------------------------------

/** What is left of a rewrite after `done` tokens; rows that only fill the batch have nothing to draw. */
function rest(rewrite: Rewrite | undefined, done: number): Rewrite {
  if (!rewrite) return { from: 1, count: 0 };
  const drawn = Math.min(done, rewrite.count);
  return {
    from: Math.max(1, rewrite.from + drawn - (rewrite.count === drawn ? 1 : 0)),
    count: rewrite.count - drawn,
  };
}

/**
 * Some steps: each reads the token before the next one to draw, and draws by inverting the cumulative
 * distribution at a uniform number. A row that is finished reads its last token again, to no effect.
 */
function draw(
  options: PriorOptions,
  inputs: Record<string, tf.Tensor>,
  lookup: (name: string) => tf.Tensor,
): Record<string, tf.Tensor> {
  const { spec, banned, batch, positions } = options;
  const layers = Array.from({ length: spec.layers }, (_, layer) => layer);
  let cache: KeyValueCache = {
    keys: layers.map((l) => inputs[`keys${l}`]!),
    values: layers.map((l) => inputs[`values${l}`]!),
  };
  let ids = inputs.ids!;
  const one = tf.scalar(1, 'int32');
  const columns = tf.range(0, positions, 1, 'int32');
  const isAt = (position: tf.Tensor) => tf.equal(columns, tf.expandDims(position, 1)); // [batch, positions]
  for (let done = 0; done < STEPS; done++) {
    const turn = tf.scalar(done, 'int32');
    const active = tf.less(turn, inputs.count!);
    const drawn = tf.minimum(turn, tf.maximum(tf.sub(inputs.count!, one), tf.scalar(0, 'int32')));
    const here = tf.add(tf.sub(inputs.from!, one), drawn); // [batch]
    const token = tf.sum(tf.mul(ids, tf.cast(isAt(here), 'int32')), 1);
    const read = step(spec, lookup, { ids: token, positions: here, cache });
    cache = read.cache();
    const logits = tf.reshape(read.at('logits'), [batch, spec.vocab]);
    const allowed = tf.add(tf.mul(logits, inputs.sharpness!), bannedMask(spec.vocab, banned));
    const cumulative = tf.cumsum(tf.softmax(allowed), 1);
    // Rounding leaves the sum a little off 1: the draw is in what it reached.
    const total = tf.slice(cumulative, [0, spec.vocab - 1], [batch, 1]);
    const point = tf.mul(tf.slice(inputs.uniform!, [0, done], [batch, 1]), total);
    const below = tf.lessEqual(cumulative, point);
    const next = tf.minimum(tf.sum(tf.cast(below, 'int32'), 1), tf.scalar(spec.vocab - 1, 'int32'));
    const written = tf.logicalAnd(isAt(tf.add(here, one)), tf.expandDims(active, 1));
    ids = tf.where(written, tf.expandDims(next, 1), ids);
  }
  return { drawn: ids, ...namedCache(cache) };
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

/** Names of the entries of a cache as inputs and outputs of a graph. */
export function cacheNames(spec: TransformerSpec): string[] {
  return Array.from({ length: spec.layers }, (_, layer) => [`keys${layer}`, `values${layer}`]).flat();
}

/** A cache under the names of `cacheNames`. */
export function namedCache({
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
