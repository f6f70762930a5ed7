/** @file What goes into `compile()` and what comes out of it. */
import type { Engine } from './engine-names.js';
import type { DType, TensorSpec, TypedArray } from './tensor-spec.js';
import type { WeightSource } from './weights/weights.js';

/** Precision of matrix products by weights. */
export type Precision = 'float32' | 'int8';

export interface CompileOptions {
  readonly inputs: Readonly<Record<string, TensorSpec>>;
  /** What the function's second argument looks up. */
  readonly weights?: WeightSource;
  readonly engine?: Engine;
  /**
   * `int8`: products by weights in 8 bits, with `packed` also convolutions; several times as fast and good to about a percent:
   * for proposing, ranking and most steps of a picture, not for scores that are reported. Engines that are not faster so
   * compute in float32 whatever is said here.
   */
  readonly precision?: Precision;
  /** For `int8`: rows behind a norm have one range, so they need not be scaled to one. */
  readonly evenRows?: boolean;
  /**
   * The function has its own copy of the filters of convolutions, and for `int8` of the matrices, laid out for the processor:
   * four fifths to nine tenths of the time (bench/engine/packed.ts, bench/image/index.ts). For functions that are run often.
   */
  readonly packed?: boolean;
  /**
   * The memory that it works in stays taken from one run to the next, also where that is much, and threads spin for a moment
   * before they sleep: for functions that are run many times one after the other, and then disposed of
   * (docs/decisions/08-working-memory.md, 07-threads.md).
   */
  readonly keepsMemory?: boolean;
  /** Threads of one operation, 0: as many as there are cores; default: as many as the size of the graph justifies. */
  readonly threads?: number;
}

/** An array that stays where it was computed, to be fed to a later run (training state, a key-value cache). */
export interface Resident {
  readonly shape: readonly number[];
  readonly dtype: DType;
  read(): Promise<TypedArray>;
  release(): void;
}

export type RunInput = TypedArray | readonly number[] | Resident;

export interface Compiled {
  /** Shapes and types of the outputs, by name. */
  readonly outputs: Readonly<Record<string, Required<TensorSpec>>>;
  /** Whether convolutions of pictures are so much of it that the same with `int8` and `packed` takes half of the time or less. */
  readonly gainsInBytes: boolean;
  /** One call. Throws when an input is missing or has the wrong size. */
  run(inputs: Readonly<Record<string, RunInput>>): Promise<Record<string, TypedArray>>;
  /** One call whose outputs named in `keep` stay in the engine. */
  runKeeping<K extends string>(
    inputs: Readonly<Record<string, RunInput>>,
    keep: readonly K[],
  ): Promise<{ values: Record<string, TypedArray>; kept: Record<K, Resident> }>;
  /** Frees the session. */
  dispose(): void;
}
