/** @file Rows that are drawn in two halves, side by side. */
import { Random } from '../../core/random.js';
import { distinct, type Halves, halve, inHalves, pairOf } from '../lm/in-halves.js';
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
  static async create(
    options: SamplerOptions,
    engines: Halves<SamplerOptions['subject']['engine']>,
  ): Promise<SamplerPair> {
    const { subject } = options;
    const make = (engine: (typeof engines)[number]) =>
      Sampler.create({ ...options, subject: { ...subject, engine } });
    const [first, second] = pairOf(engines, make);
    return new SamplerPair([await first, await second], options);
  }

  get tokensRead(): number {
    return distinct(this.pair).reduce((sum, { tokensRead }) => sum + tokensRead, 0);
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
    const seeds = [random.uint32(), random.uint32()];
    const results = await inHalves(this.pair, parts, (sampler, own) =>
      sampler.rewrite(
        stackRows(own.map(rowAt)),
        own.map((row) => rewrites[row]!),
        new Random(seeds[own === parts[0] ? 0 : 1]!),
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
