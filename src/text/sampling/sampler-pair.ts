/** @file Rows that are drawn in two halves, side by side. */
import { Random } from '../../core/random.js';
import type { Engine } from '../../engine/compile.js';
import { distinct, type Halves, halve, inHalves, pairOf, sumOver } from '../lm/in-halves.js';
import { stackRows } from '../lm/rows.js';
import { type Rewrite, wholeRows } from './draw-jobs.js';
import type { KnownRow } from './known.js';
import { Sampler, type SamplerOptions } from './sampler.js';

export class SamplerPair {
  private constructor(
    private readonly pair: Halves<Sampler>,
    private readonly options: SamplerOptions,
  ) {}

  /** @param engines - one for each half */
  static async create(options: SamplerOptions, engines: Halves<Engine>): Promise<SamplerPair> {
    const { subject } = options;
    const make = (engine: Engine) => Sampler.create({ ...options, subject: { ...subject, engine } });
    return new SamplerPair(await Promise.all(pairOf(engines, make)), options);
  }

  get tokensRead(): number {
    return sumOver(this.pair, ({ tokensRead }) => tokensRead);
  }

  /** As of a `Sampler`. */
  sample(count: number, random: Random, temperature = 1, known?: readonly KnownRow[]): Promise<Int32Array> {
    const { rows, rewrites, parents } = wholeRows(this.options, count, temperature);
    return this.rewrite(rows, rewrites, random, parents, known);
  }

  /** As of a `Sampler`. */
  async rewrite(
    rows: Int32Array,
    rewrites: readonly Rewrite[],
    random: Random,
    parents: readonly Int32Array[],
    known?: readonly KnownRow[],
  ): Promise<Int32Array> {
    const { positions } = this.options;
    const rowAt = (row: number) => rows.subarray(row * positions, (row + 1) * positions);
    const parts = halve(
      parents,
      rewrites.map(({ count }) => count),
    );
    const written = rows.slice();
    const [first, second] = this.pair;
    const writers = [
      { sampler: first, random: new Random(random.uint32()) },
      { sampler: second, random: new Random(random.uint32()) },
    ] as const;
    const results = await inHalves(writers, parts, ({ sampler, random }, own) =>
      sampler.rewrite(
        stackRows(own.map(rowAt)),
        own.map((row) => rewrites[row]!),
        random,
        own.map((row) => parents[row]!),
        known && own.map((row) => known[row]!),
      ),
    );
    for (const { rows: own, result } of results)
      for (const [i, row] of own.entries())
        written.set(result.subarray(i * positions, (i + 1) * positions), row * positions);
    return written;
  }

  dispose(): void {
    for (const sampler of distinct(this.pair)) sampler.dispose();
  }
}
