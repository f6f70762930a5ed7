/**
 * @file Reading and drawing tokens one position at a time with a key-value cache: each token's probability under
 * the prior and what the unit makes of it come out of the same steps.
 *
 * All rows stand at the same position. What was read of them stays in the engine as a `Standing`, which can be
 * read on from more than once: chains keep theirs while they try another continuation.
 */
import { type Compiled, compile, type EngineName, type Resident, resident } from '../../engine/compile.js';
import * as tf from '../../engine/tfjs.js';
import type { WeightLookup, WeightSource } from '../../engine/weights.js';
import { bannedMask, cacheNames, namedCache } from '../prior.js';
import type { Probe } from '../probe.js';
import type { TransformerSpec } from '../spec.js';
import { step } from '../transformer.js';
import { column, emptySequences, type Sequences, writeTokens } from './sequences.js';

export interface DecoderOptions {
  readonly spec: TransformerSpec;
  readonly weights: WeightSource;
  readonly probe: Probe;
  /** Whether z of the rivals is told beside the unit's. */
  readonly withRivals: boolean;
  /** Tokens that are never drawn (BOS, padding …). */
  readonly banned: readonly number[];
  /** Positions of a sequence, BOS included. */
  readonly positions: number;
  /** Rows decoded together. */
  readonly batch: number;
  readonly engine: EngineName;
}

/** What was read of every row: keys, values and the logits of the next token. */
export type Standing = Record<string, Resident>;

/** Next tokens, `[batch]` each. */
export interface Drawn {
  readonly ids: Int32Array;
  /** ln p, nats. */
  readonly logProbs: Float32Array;
  /** ln of the probability of being drawn, nats; about -1e9 for a banned token. */
  readonly logDraws: Float32Array;
}

/** What `draw` is told of a row whose next token is to be drawn. */
export const FREE = -1;

interface Programs {
  readonly read: Compiled;
  readonly draw: Compiled;
  readonly take: Compiled;
  readonly choose: Compiled;
}

/** Draws sequences token by token while scoring the unit, p and z out of the same steps. */
export class Decoder {
  /** Token positions that were read so far, to count cost by. */
  tokensRead = 0;
  private readonly names: string[];

  private constructor(
    readonly options: DecoderOptions,
    private readonly programs: Programs,
    private readonly empty: Standing,
  ) {
    this.names = standingNames(options.spec);
  }

  /** Numbers of z a position: the unit's, then its rivals' where they are told. */
  get tracked(): number {
    const { probe, withRivals } = this.options;
    return 1 + (withRivals ? probe.options.reference.size : 0);
  }

  static async create(options: DecoderOptions): Promise<Decoder> {
    const { spec, weights, batch, engine } = options;
    const state = standingSpecs(options);
    const { logits, ...cache } = state;
    const int32 = { shape: [batch], dtype: 'int32' } as const;
    const names = standingNames(spec);
    const each = (fn: (name: string) => tf.Tensor) =>
      Object.fromEntries(names.map((name) => [name, fn(name)]));
    const build = (fn: Parameters<typeof compile>[0], inputs: Parameters<typeof compile>[1]['inputs']) =>
      compile(fn, { inputs, weights, engine });
    const second = Object.fromEntries(names.map((name) => [`other ${name}`, state[name]!]));
    const programs: Programs = {
      read: await build((inputs, lookup) => readTokens(options, inputs, lookup), {
        ids: int32,
        positions: int32,
        ...cache,
      }),
      draw: await build((inputs) => drawTokens(options, inputs), {
        logits: logits!,
        uniform: { shape: [batch] },
        forced: int32,
      }),
      take: await build((inputs) => each((name) => tf.gather(inputs[name]!, inputs.rows! as tf.Tensor1D)), {
        rows: int32,
        ...state,
      }),
      choose: await build(
        (inputs) => each((name) => selectRows(inputs.second!, inputs[`other ${name}`]!, inputs[name]!)),
        { second: int32, ...state, ...second },
      ),
    };
    const empty: Standing = {};
    for (const [name, { shape }] of Object.entries(state)) {
      const size = shape.reduce((a, b) => a * b, 1);
      empty[name] = await resident(new Float32Array(size), { shape }, engine);
    }
    return new Decoder(options, programs, empty);
  }

  /**
   * Reads a token of each row.
   *
   * @param before - what was read of positions before this one; it stays as it is. Null at position 0
   * @param ids - `[batch]`
   * @returns what is read now, and z at this position, `[batch, tracked]`
   */
  async read(
    before: Standing | null,
    ids: Int32Array,
    position: number,
  ): Promise<{ after: Standing; z: Float32Array }> {
    const { batch } = this.options;
    this.tokensRead += batch;
    const { logits: _, ...cache } = before ?? this.empty;
    const positions = new Int32Array(batch).fill(position);
    const { values, kept } = await this.programs.read.runKeeping({ ids, positions, ...cache }, this.names);
    return { after: kept, z: values.z as Float32Array };
  }

  /**
   * The next token of each row.
   *
   * @param uniform - numbers in [0, 1), `[batch]`
   * @param forced - tokens that stand already, `[batch]`, FREE where one is to be drawn
   */
  async draw(standing: Standing, uniform: Float32Array, forced?: Int32Array): Promise<Drawn> {
    const { batch } = this.options;
    const { ids, logProbs, logDraws } = await this.programs.draw.run({
      logits: standing.logits!,
      uniform,
      forced: forced ?? new Int32Array(batch).fill(FREE),
    });
    return {
      ids: ids as Int32Array,
      logProbs: logProbs as Float32Array,
      logDraws: logDraws as Float32Array,
    };
  }

  /**
   * Draws a token more of each row and reads it.
   *
   * @param before - what was read of the positions before; released
   * @param sequences - where the tokens are written
   * @param uniform - as in `draw`
   * @param forced - as in `draw`
   */
  async extend(
    before: Standing,
    sequences: Sequences,
    position: number,
    uniform: Float32Array,
    forced?: Int32Array,
  ): Promise<Standing> {
    const drawn = await this.draw(before, uniform, forced);
    const { after, z } = await this.read(before, drawn.ids, position);
    this.release(before);
    writeTokens(sequences, position, drawn, z);
    return after;
  }

  /** Reads whole sequences. @param ids - `[batch, positions]` */
  async readAll(ids: Int32Array): Promise<{ sequences: Sequences; standing: Standing }> {
    const { batch, positions } = this.options;
    const sequences = emptySequences(batch, positions, this.tracked, ids[0]!);
    const given: Sequences = { ...sequences, ids };
    let standing = (await this.read(null, column(given, 0), 0)).after;
    for (let position = 1; position < positions; position++)
      standing = await this.extend(
        standing,
        sequences,
        position,
        new Float32Array(batch),
        column(given, position),
      );
    return { sequences, standing };
  }

  /** Row `i` of the result is row `rows[i]`. */
  async take(standing: Standing, rows: Int32Array): Promise<Standing> {
    return (await this.programs.take.runKeeping({ rows, ...standing }, this.names)).kept;
  }

  /** Rows of `second` where `isSecond` is 1, of `first` where it is 0. */
  async choose(first: Standing, second: Standing, isSecond: Int32Array): Promise<Standing> {
    const others = Object.fromEntries(this.names.map((name) => [`other ${name}`, second[name]!]));
    return (await this.programs.choose.runKeeping({ second: isSecond, ...first, ...others }, this.names))
      .kept;
  }

  release(standing: Standing): void {
    for (const entry of Object.values(standing)) entry.release();
  }

  dispose(): void {
    for (const program of Object.values(this.programs)) program.dispose();
    this.release(this.empty);
  }
}

function standingNames(spec: TransformerSpec): string[] {
  return ['logits', ...cacheNames(spec)];
}

function standingSpecs({ spec, batch, positions }: DecoderOptions): Record<string, { shape: number[] }> {
  const cache = { shape: [batch, spec.kvHeads, positions, spec.dHead] };
  return {
    logits: { shape: [batch, spec.vocab] },
    ...Object.fromEntries(cacheNames(spec).map((name) => [name, cache])),
  };
}

// -- traced ----------------------------------------------------------------------------------------------------

function readTokens(
  { spec, probe, withRivals, batch }: DecoderOptions,
  inputs: Record<string, tf.Tensor>,
  lookup: WeightLookup,
): Record<string, tf.Tensor> {
  const layers = Array.from({ length: spec.layers }, (_, layer) => layer);
  const cache = {
    keys: layers.map((layer) => inputs[`keys${layer}`]!),
    values: layers.map((layer) => inputs[`values${layer}`]!),
  };
  const run = step(spec, lookup, { ids: inputs.ids!, positions: inputs.positions!, cache });
  return {
    z: tf.squeeze(probe.trackedZ(lookup, run, withRivals), [1]), // [batch, tracked]
    logits: tf.reshape(run.at('logits'), [batch, spec.vocab]),
    ...namedCache(run.cache()),
  };
}

/** By inverting the cumulative distribution at a uniform number. */
function drawTokens(
  { spec, banned, batch }: DecoderOptions,
  inputs: Record<string, tf.Tensor>,
): Record<string, tf.Tensor> {
  const { vocab } = spec;
  const logProbs = tf.logSoftmax(inputs.logits!); // [batch, vocab]
  const logDraws = tf.logSoftmax(tf.add(inputs.logits!, bannedMask(vocab, banned)));
  const cumulative = tf.cumsum(tf.exp(logDraws), 1);
  // Rounding leaves the sum a little off 1: the draw is in what it reached.
  const total = tf.slice(cumulative, [0, vocab - 1], [batch, 1]);
  const below = tf.lessEqual(cumulative, tf.mul(tf.expandDims(inputs.uniform!, 1), total));
  const drawn = tf.minimum(tf.sum(tf.cast(below, 'int32'), 1), tf.scalar(vocab - 1, 'int32'));
  const ids = tf.where(tf.less(inputs.forced!, tf.scalar(0, 'int32')), drawn, inputs.forced!);
  const flat = tf.add(ids, tf.mul(tf.range(0, batch, 1, 'int32'), tf.scalar(vocab, 'int32')));
  const at = (values: tf.Tensor) => tf.gather(tf.reshape(values, [batch * vocab]), flat as tf.Tensor1D);
  return { ids, logProbs: at(logProbs), logDraws: at(logDraws) };
}

/** Rows of `second` where the flag `[batch]` is 1, else of `first`. */
function selectRows(isSecond: tf.Tensor, second: tf.Tensor, first: tf.Tensor): tf.Tensor {
  const [batch, ...rest] = first.shape as [number, ...number[]];
  const flags = tf.reshape(tf.greater(isSecond, tf.scalar(0, 'int32')), [batch, ...rest.map(() => 1)]);
  return tf.where(flags, second, first);
}
