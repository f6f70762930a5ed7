/** @file What goes into `compile()` and what comes out of it. */
import type { Engine } from './engine-names.js';
import type { DType, TensorSpec, TypedArray } from './tensor-spec.js';
import type { WeightSource } from './weights/weights.js';

/** Precision of products by weights: `rough` is 8 bits on a processor and half precision on a GPU. */
export type Precision = 'float32' | 'rough';

export interface CompileOptions {
  readonly inputs: Readonly<Record<string, TensorSpec>>;
  /** What the function's second argument looks up. */
  readonly weights?: WeightSource;
  readonly engine?: Engine;
  /**
   * `rough`: products by weights in 8 bits, with `packed` also convolutions; several times as fast and good to about a percent:
   * for proposing, ranking and most steps of a picture, not for scores that are reported. On a GPU that has it, products and
   * convolutions in half precision. Engines that are not faster so compute in float32 whatever is said here.
   */
  readonly precision?: Precision;
  /** For 8 bits: rows behind a norm have one range, so they need not be scaled to one. */
  readonly evenRows?: boolean;
  /**
   * The function has its own copy of the filters of convolutions, and in 8 bits of the matrices, laid out for the processor:
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
  /** Whether convolutions of pictures are so much of it that the same with `rough` and `packed` takes half of the time or less (on a GPU: not measured). */
  readonly gainsRoughly: boolean;
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
