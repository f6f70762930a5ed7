/**
 * @file Drawing text from a language model: whole sequences, or some tokens of given ones anew.
 *
 * Rows are drawn in slots, each at a position of its own, so that rows that differ in where they are rewritten share
 * a batch; a slot whose row is done takes the next (continuous batching, as in Orca, Yu et al. 2022).
 */

import type { Random } from '../../core/random.js';
import { type Compiled, compile, type Precision, traitsOf } from '../../engine/compile.js';
import {
  type ChangingWeights,
  changingInputs,
  currentArrays,
  withArguments,
} from '../lm/changing-weights.js';
import { type CacheEntries, cacheNames, releaseCache } from '../lm/named-cache.js';
import { withoutTail } from '../lm/spec.js';
import type { Subject } from '../lm/subject.js';
import type { Probe } from '../readouts/probe.js';
import {
  type DrawGroup,
  type DrawJob,
  inGroups,
  jobsOf,
  type Rewrite,
  stepsOf,
  wholeRows,
} from './draw-jobs.js';
import {
  type DrawOptions,
  drawInputs,
  drawSteps,
  GOES_ON,
  keepsCaches,
  ofParents,
  TURN,
} from './draw-steps.js';
import { EmptyCaches } from './empty-caches.js';
import { inherit, type KnownRow, learn, type Told } from './known.js';
import { ParentReader } from './parent-reader.js';
import type { Start } from './start.js';

export interface SamplerOptions {
  readonly subject: Subject;
  readonly changing?: ChangingWeights;
  /** Positions of a sequence, BOS included. */
  readonly positions: number;
  /** Rows drawn together; fewer are filled up. */
  readonly batch: number;
  /** Parents of rows to rewrite that are read together; default: 1. */
  readonly parents?: number;
  /** int8 for drafts, whose worth is counted elsewhere; default: float32. */
  readonly precision?: Precision;
  /** Whether `rewrite` can tell ln p; default: no, unless there is a probe. */
  readonly logProbs?: boolean;
  /** Rows that are written to their ends are read to there, and `rewrite` can tell what this says of each position. */
  readonly probe?: Probe;
  /** Given, drawing stops between two calls of the graph and throws its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Rows that are written, `[count, positions]`, and what is found out about them. */
interface Written {
  readonly rows: Int32Array;
  readonly known: readonly KnownRow[] | undefined;
}

/** To be raised when the same seed draws other text than before: what was counted over samples is counted anew. */
export const samplerVersion = 4;

/** Draws from p(x_t | x_<t). All results depend on the seed of the given generator alone. */
export class Sampler {
  private written = 0;

  private constructor(
    private readonly options: SamplerOptions & Pick<DrawOptions, 'parents' | 'steps'>,
    private readonly steps: Compiled,
    private readonly parents: ParentReader,
    /** Caches that no sequence was read into: of the slots, and of parents. */
    private readonly empty: EmptyCaches,
  ) {}

  static async create(options: SamplerOptions): Promise<Sampler> {
    const { batch, positions, precision = 'float32', parents = 1, changing, probe } = options;
    const { engine } = options.subject;
    const weights = probe?.weights ?? options.subject.weights;
    // What stands behind a text is of no use to those who draw it.
    const subject = { ...options.subject, spec: withoutTail(options.subject.spec) };
    // Where each step widens the weights anew, a call costs nothing beside it, and its graph takes memory.
    const widens = weights.halves?.stay && traitsOf(engine).widensHalves;
    const steps = widens ? 1 : TURN;
    const drawing = { ...options, subject, parents, steps };
    const compiled = await compile(
      (inputs, lookup) => drawSteps(drawing, inputs, withArguments(changing, inputs, lookup)),
      {
        inputs: { ...changingInputs(changing), ...drawInputs(drawing) },
        weights,
        engine,
        precision,
        packed: true,
        // Position 0, where rows are of another size than elsewhere, is read with the parents.
        evenRows: probe !== undefined,
      },
    );
    const rows = [batch, parents];
    return new Sampler(
      drawing,
      compiled,
      new ParentReader(drawing),
      await EmptyCaches.create({ subject, positions, rows, precision, changing }),
    );
  }

  /** Tokens that were read so far, of parents and rows; the last of a row is not. */
  get tokensRead(): number {
    return this.written + this.parents.tokensRead;
  }

  /**
   * Whole sequences after BOS.
   *
   * @param known - what is found out, as in `rewrite`
   * @returns token ids, `[count, positions]`, BOS in front
   */
  async sample(
    count: number,
    random: Random,
    temperature = 1,
    known?: readonly KnownRow[],
  ): Promise<Int32Array> {
    const { rows, rewrites, parents } = wholeRows(this.options, count, temperature);
    return this.rewrite(rows, rewrites, random, parents, known);
  }

  /**
   * Draws some tokens of each row anew, left to right, given what stands before them; what follows stays.
   *
   * @param rows - token ids, `[count, positions]`; not changed
   * @param parents - what each row was made from, `[positions]`: a beginning in common is read once for all children
   * @param known - one a row: where what is found out about it goes. Of the tokens that are drawn or passed, ln p; with a
   *   probe, of a row that is written to its end, everything
   */
  async rewrite(
    rows: Int32Array,
    rewrites: readonly Rewrite[],
    random: Random,
    parents: readonly Int32Array[],
    known?: readonly KnownRow[],
  ): Promise<Int32Array> {
    const { positions, probe } = this.options;
    const result = { rows: rows.slice(), known };
    const all = jobsOf(rows, rewrites, parents, { positions, tells: probe !== undefined });
    const start = probe ? await this.parents.start() : null;
    const jobs = start ? this.begun(all, start, result, random) : all;
    const [empty, zeros] = (await this.empty.current()) as [CacheEntries, CacheEntries];
    const none = start?.caches ?? zeros;
    for (const group of inGroups(jobs, this.options.parents)) {
      const read = group.parents.length > 0 ? await this.parents.read(group.parents) : null;
      for (const { row, parent, read: first } of group.jobs) {
        const ofParent = parent && read?.known.get(parent);
        if (known && ofParent) inherit(known[row]!, ofParent, first);
      }
      await this.draw(result, group, { empty, read: read?.caches ?? none }, random);
      if (read) releaseCache(read.caches);
    }
    return result.rows;
  }

  /** Jobs that have read the start token, but for those that are done with it. */
  private begun(jobs: readonly DrawJob[], start: Start, { rows, known }: Written, random: Random): DrawJob[] {
    const { positions } = this.options;
    const all = jobs.map((job) => {
      if (job.read > 0) return job;
      const row = rows.subarray(job.row * positions, (job.row + 1) * positions);
      return start.begin(job, row, known?.[job.row], random);
    });
    return all.filter((job) => stepsOf(job) > 0);
  }

  /**
   * Writes the jobs' rows. A slot that is done takes the next job, the longest first, so that calls stay full.
   *
   * @param result - what is changed, `[count, positions]` each
   * @param caches - of slots that have read nothing, and of the parents
   */
  private async draw(
    { rows, known }: Written,
    group: DrawGroup,
    { empty, read }: Record<'empty' | 'read', CacheEntries>,
    random: Random,
  ): Promise<void> {
    const { subject, batch, positions, changing, probe, signal, steps } = this.options;
    const names = cacheNames(subject.spec);
    const keep = keepsCaches(this.options) ? names : [];
    const fixed = {
      ...currentArrays(changing),
      ...Object.fromEntries(names.map((name) => [ofParents(name), read[name]!])),
    };
    const waiting = group.jobs.sort((a, b) => stepsOf(b) - stepsOf(a));
    const slots: (DrawJob | undefined)[] = Array(batch).fill(undefined);
    // What an empty slot reads: not the start token, where no other reads it.
    const idle = probe ? 1 : 0;
    const ofSlots = (of: (job: DrawJob) => number, none: number) =>
      slots.map((job) => (job === undefined ? none : of(job)));
    let ids: Int32Array = new Int32Array(batch * positions);
    let cache = empty;
    for (let next = 0; next < waiting.length || slots.some(Boolean); ) {
      const parent: number[] = Array(batch).fill(GOES_ON);
      for (let slot = 0; slot < batch && next < waiting.length; slot++) {
        if (slots[slot]) continue;
        const job = waiting[next++]!;
        slots[slot] = job;
        // All parents begin as a row without one does.
        parent[slot] = job.parent ? group.parents.indexOf(job.parent) : 0;
        ids.set(rows.subarray(job.row * positions, (job.row + 1) * positions), slot * positions);
      }
      const uniforms = random.uniforms(batch * TURN); // [batch, TURN]
      for (let drawn = 0; drawn < TURN && slots.some(Boolean); drawn += steps) {
        signal?.throwIfAborted();
        const inputs = {
          ...fixed,
          ids,
          parent,
          read: ofSlots((job) => job.read, idle),
          from: ofSlots((job) => job.from, 1),
          end: ofSlots((job) => job.end, 1),
          until: ofSlots((job) => job.until, idle + 1),
          sharpness: ofSlots((job) => job.sharpness, 1),
          uniform: uniforms.filter((_, i) => Math.floor((i % TURN) / steps) === drawn / steps),
          ...cache,
        };
        const { values, kept } = await this.steps.runKeeping(inputs, keep);
        parent.fill(GOES_ON);
        if (cache !== empty) releaseCache(cache);
        if (keep.length > 0) cache = kept;
        ids = values.drawn as Int32Array;
        for (const [slot, job] of slots.entries()) {
          if (!job) continue;
          const done = Math.min(steps, stepsOf(job));
          this.written += done;
          if (known) learn(known[job.row]!, values as Told, slot, steps, done, job.read);
          job.read += done;
          if (stepsOf(job) > 0) continue;
          rows.set(ids.subarray(slot * positions, (slot + 1) * positions), job.row * positions);
          slots[slot] = undefined;
        }
      }
    }
    if (cache !== empty) releaseCache(cache);
  }

  dispose(): void {
    this.steps.dispose();
    void this.parents.dispose();
    this.empty.dispose();
  }
}
