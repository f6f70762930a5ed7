/** @file What a backend is: where compiled programs run and arrays live. Another kind of device is another of these. */
import type { Program } from '../compiler/program.js';
import type { DType, TypedArray } from '../tensor-spec.js';
import type { Traits } from '../traits.js';
import type { WeightSource } from '../weights/weights.js';

/** An array with its shape. */
export interface ArrayValue {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** An array that a backend holds. */
export interface HeldArray {
  readonly number: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

/** A program that is ready to run. */
export interface LoadedProgram {
  readonly number: number;
  readonly outputs: Program['outputs'];
}

export interface LoadOptions {
  /** What the program's weights are taken from; they have been uploaded. */
  readonly weights?: WeightSource | undefined;
  /** Threads of one operation, 0: as many as there are cores. */
  readonly threads: number;
  /** Whether memory that it works in is kept from one run to the next. */
  readonly arena: boolean;
  /** Whether threads look for their next part of the work for a moment before they sleep. */
  readonly spins: boolean;
}

export interface Backend {
  readonly traits: Traits;
  /**
   * Gives the backend weights, which stay there. A source's arrays never change: what was uploaded of the same source is not
   * sent again, and arrays that do change (training) are held arrays or of another source.
   */
  upload(weights: WeightSource, names: readonly string[]): Promise<void>;
  load(program: Program, options: LoadOptions): Promise<LoadedProgram>;
  /** One run; outputs named in `keep` stay and come back as held arrays. */
  run<K extends string>(
    program: LoadedProgram,
    inputs: Readonly<Record<string, ArrayValue | HeldArray>>,
    keep: readonly K[],
  ): Promise<{ values: Record<string, TypedArray>; kept: Record<K, HeldArray> }>;
  /** Puts an array there. */
  write(value: ArrayValue): Promise<HeldArray>;
  /** A copy of an array that it holds. */
  read(array: HeldArray): Promise<TypedArray>;
  disposeArray(array: HeldArray): void;
  disposeProgram(program: LoadedProgram): void;
  /** Frees weights and what was derived from them, once no loaded program uses them. */
  disposeWeights(weights: WeightSource): Promise<void>;
}
