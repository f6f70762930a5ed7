/**
 * @file Reading and drawing tokens one position at a time with a key-value cache: each token's probability under
 * the prior and what the unit makes of it come out of the same steps.
 *
 * All rows stand at the same position. What was read of them stays in the engine as a `Standing`, which can be
 * read on from more than once: chains keep theirs while they try another continuation.
 */

import type { Random } from '../../core/random.js';
import { type Compiled, compile, resident } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import { cacheNames } from '../lm/named-cache.js';
import { tailOf } from '../lm/spec.js';
import {
  cacheSpecs,
  type DecoderOptions,
  drawer,
  drawnFrom,
  drawTokens,
  proposed,
  readProposal,
  readTokens,
  type Standing,
  selectRows,
  standingSpecs,
} from './decoder-graphs.js';
import { EmptyCaches } from './empty-caches.js';
import { emptySequences, idsAt, type Sequences, writeTokens } from './sequences.js';

/** Next tokens, `[batch]` each. */
export interface Drawn {
  readonly ids: Int32Array;
  /** ln p, nats. */
  readonly logProbs: Float32Array;
  /** ln of the probability of being drawn, nats; about -1e9 for a banned token. */
  readonly logDraws: Float32Array;
}

/** What `draw` gets of a row whose next token is to be drawn. */
export const FREE = -1;

interface Programs {
  readonly read: Compiled;
  readonly readProposal?: Compiled;
  readonly draw: Compiled;
  readonly take: Compiled;
  readonly choose: Compiled;
}

/** Draws sequences token by token while scoring the unit, p and z out of the same steps. */
export class Decoder {
  private tokensRead = 0;
  private readonly names: string[];

  private constructor(
    readonly options: DecoderOptions,
    private readonly programs: Programs,
    private readonly empty: Standing,
    /** What the caches in `empty` belong to. */
    private readonly beginnings: readonly EmptyCaches[],
  ) {
    this.names = Object.keys(standingSpecs(options));
  }

  /** Numbers of z a position: the unit's, then its rivals' where they are computed. */
  get tracked(): number {
    const { probe, withRivals } = this.options;
    return 1 + (withRivals ? probe.options.reference.size : 0);
  }

  static async create(options: DecoderOptions): Promise<Decoder> {
    const { proposal, batch, positions } = options;
    const { engine } = drawer(options);
    const state = standingSpecs(options);
    const cache = cacheSpecs(options);
    const int32 = { shape: [batch], dtype: 'int32' } as const;
    const names = Object.keys(state);
    const each = (fn: (name: string) => tf.Tensor) =>
      Object.fromEntries(names.map((name) => [name, fn(name)]));
    const build = (
      fn: Parameters<typeof compile>[0],
      inputs: Parameters<typeof compile>[1]['inputs'],
      source = options.probe.weights,
    ) => compile(fn, { inputs, weights: source, engine });
    const second = Object.fromEntries(names.map((name) => [`other ${name}`, state[name]!]));
    const programs: Programs = {
      read: await build((inputs, lookup) => readTokens(options, inputs, lookup), {
        ids: int32,
        positions: int32,
        ...cache,
      }),
      ...(proposal && {
        readProposal: await build(
          (inputs, lookup) => readProposal(options, inputs, lookup),
          { ids: int32, positions: int32, share: state.share!, ...cache },
          proposal.weights,
        ),
      }),
      draw: await build((inputs) => drawTokens(options, inputs), {
        ...drawnFrom(state),
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
    const beginning = async (named: (name: string) => string, source?: WeightSource) => {
      const subject = drawer(options);
      const rows = [batch];
      const made = await EmptyCaches.create({ subject, positions, rows, ...(source && { weights: source }) });
      const [caches] = await made.current();
      const shape = [batch, subject.spec.vocab];
      const logits = await resident(new Float32Array(sizeOf(shape)), { shape }, engine);
      const entries = Object.entries({ logits, ...caches }).map(([name, x]) => [named(name), x] as const);
      return { made, standing: Object.fromEntries(entries) };
    };
    const own = await beginning((name) => name);
    if (!proposal) return new Decoder(options, programs, own.standing, [own.made]);
    const theirs = await beginning(proposed, proposal.weights);
    const share = await resident(proposal.shares.slice(), { shape: [batch, 1] }, engine);
    const empty = { ...own.standing, ...theirs.standing, share };
    return new Decoder(options, programs, empty, [own.made, theirs.made]);
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
    const { read, readProposal } = this.programs;
    const names = cacheNames(drawer(this.options).spec);
    const from = before ?? this.empty;
    const given = { ids, positions: new Int32Array(batch).fill(position) };
    const own = Object.fromEntries(names.map((name) => [name, from[name]!]));
    const { values, kept } = await read.runKeeping({ ...given, ...own }, ['logits', ...names]);
    this.tokensRead += batch;
    const z = values.z as Float32Array;
    if (!readProposal) return { after: kept, z };
    const theirs = Object.fromEntries(names.map((name) => [name, from[proposed(name)]!]));
    const second = await readProposal.runKeeping({ ...given, ...theirs, share: from.share! }, [
      'share',
      ...['logits', ...names].map(proposed),
    ]);
    this.tokensRead += batch;
    return { after: { ...kept, ...second.kept }, z };
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
      ...drawnFrom(standing),
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
    const isLast = position === this.options.positions - 1;
    writeTokens(sequences, position, drawn, (isLast && (await this.readTail(after))) || z);
    return after;
  }

  /** z behind the last token of what the frame puts after the text, `[batch, tracked]`; null where it puts nothing there. */
  private async readTail(standing: Standing): Promise<Float32Array | null> {
    const { batch, positions } = this.options;
    const { spec } = drawer(this.options);
    const names = cacheNames(spec);
    let [caches, z]: [Standing, Float32Array | null] = [standing, null];
    for (const [i, id] of tailOf(spec).entries()) {
      const own = Object.fromEntries(names.map((name) => [name, caches[name]!]));
      const given = {
        ids: new Int32Array(batch).fill(id),
        positions: new Int32Array(batch).fill(positions + i),
      };
      const { values, kept } = await this.programs.read.runKeeping({ ...given, ...own }, [
        'logits',
        ...names,
      ]);
      this.tokensRead += batch;
      if (caches !== standing) this.release(caches);
      [caches, z] = [kept, values.z as Float32Array];
    }
    if (caches !== standing) this.release(caches);
    return z;
  }

  /** Draws whole sequences behind the start token, one independent of the other. */
  drawAll(random: Random): Promise<{ sequences: Sequences; standing: Standing }> {
    const { batch } = this.options;
    return this.grow(drawer(this.options).start, () => ({ uniform: random.uniforms(batch) }));
  }

  /** Reads whole sequences. @param ids - `[batch, positions]` */
  readAll(ids: Int32Array): Promise<{ sequences: Sequences; standing: Standing }> {
    const { batch, positions } = this.options;
    const given = { rows: batch, positions, ids };
    const uniform = new Float32Array(batch);
    return this.grow(ids[0]!, (position) => ({ uniform, forced: idsAt(given, position) }));
  }

  private async grow(
    start: number,
    next: (position: number) => { uniform: Float32Array; forced?: Int32Array },
  ): Promise<{ sequences: Sequences; standing: Standing }> {
    const { batch, positions } = this.options;
    const sequences = emptySequences(batch, positions, this.tracked, start);
    let standing = (await this.read(null, idsAt(sequences, 0), 0)).after;
    for (let position = 1; position < positions; position++) {
      const { uniform, forced } = next(position);
      standing = await this.extend(standing, sequences, position, uniform, forced);
    }
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

  /** Token positions that were read since the last call. */
  takeTokensRead(): number {
    const tokens = this.tokensRead;
    this.tokensRead = 0;
    return tokens;
  }

  release(standing: Standing): void {
    for (const entry of Object.values(standing)) entry.release();
  }

  dispose(): void {
    for (const program of Object.values(this.programs)) program.dispose();
    for (const made of this.beginnings) made.dispose();
    const { logits, share, [proposed('logits')]: theirs } = this.empty;
    for (const entry of [logits, share, theirs]) entry?.release();
  }
}
