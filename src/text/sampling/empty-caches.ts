/** @file Key-value caches that nothing was read into but what the frame puts before every sequence. */
import { type Compiled, compile, type Precision, resident } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import type { WeightSource } from '../../engine/weights/weights.js';
import {
  type ChangingWeights,
  changingInputs,
  currentArrays,
  withArguments,
} from '../lm/changing-weights.js';
import { type CacheEntries, cacheNames, cacheShape, namedCache, releaseCache } from '../lm/named-cache.js';
import type { Subject } from '../lm/subject.js';
import { readLead } from '../lm/transformer.js';

export interface EmptyCachesOptions {
  readonly subject: Subject;
  /** What reads the frame in the place of the subject's own weights. */
  readonly weights?: WeightSource;
  readonly changing?: ChangingWeights | undefined;
  /** Positions of a sequence. */
  readonly positions: number;
  /** Rows of each cache. */
  readonly rows: readonly number[];
  readonly precision?: Precision | undefined;
}

/** Caches of several sizes in which sequences begin. */
export class EmptyCaches {
  private constructor(
    private readonly options: EmptyCachesOptions,
    /** Null where nothing stands before position 0. */
    private readonly reading: Compiled | null,
    private caches: readonly CacheEntries[],
  ) {}

  static async create(options: EmptyCachesOptions): Promise<EmptyCaches> {
    const { subject, changing, positions, rows, precision, weights = subject.weights } = options;
    const { spec, engine } = subject;
    const shapes = rows.map((count) => cacheShape(spec, count, positions));
    if (!spec.frame || spec.frame.before.length === 1) {
      const zeros = (shape: number[]) =>
        resident(new Float32Array(shape.reduce((a, b) => a * b)), { shape }, engine);
      // One array serves as all entries: nobody writes to it.
      const caches = shapes.map(async (shape) => {
        const entry = await zeros(shape);
        return Object.fromEntries(cacheNames(spec).map((name) => [name, entry]));
      });
      return new EmptyCaches(options, null, await Promise.all(caches));
    }
    const reading = await compile(
      (inputs, lookup) => {
        const lead = readLead(spec, withArguments(changing, inputs, lookup))!;
        const layers = Array.from({ length: spec.layers }, (_, layer) => lead(layer));
        const padded = (x: tf.Tensor) =>
          tf.pad(x, [
            [0, 0],
            [0, 0],
            [0, shapes[0]![2]! - x.shape[2]!],
            [0, 0],
          ]);
        const keys = layers.map(({ k }) => padded(k));
        const values = layers.map(({ v }) => padded(v));
        const entries = Object.entries(namedCache({ keys, values }));
        return Object.fromEntries(
          rows.flatMap((count, i) =>
            entries.map(([name, entry]) => [sized(name, i), tf.tile(entry, [count, 1, 1, 1])]),
          ),
        );
      },
      { inputs: changingInputs(changing), weights, engine, ...(precision && { precision }) },
    );
    const empty = new EmptyCaches(options, reading, []);
    if (!changing) await empty.read(reading);
    return empty;
  }

  /** One a number of rows; they stay this object's. With weights that change, read anew at every call. */
  async current(): Promise<readonly CacheEntries[]> {
    if (this.reading && this.options.changing) await this.read(this.reading);
    return this.caches;
  }

  private async read(reading: Compiled): Promise<void> {
    const { rows, subject, changing } = this.options;
    const names = cacheNames(subject.spec);
    const all = rows.flatMap((_, i) => names.map((name) => sized(name, i)));
    const { kept } = await reading.runKeeping(currentArrays(changing), all);
    this.release();
    this.caches = rows.map((_, i) => Object.fromEntries(names.map((name) => [name, kept[sized(name, i)]!])));
  }

  private release(): void {
    for (const cache of this.caches) releaseCache(cache);
  }

  dispose(): void {
    this.reading?.dispose();
    this.release();
  }
}

const sized = (name: string, i: number) => `${i} ${name}`;
