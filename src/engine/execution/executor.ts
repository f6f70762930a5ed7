/** @file A way to execute functions of tensors: compiled on a backend, or eagerly. */
import type { TensorFunction } from '../compiler/trace.js';
import type { TensorSpec, TypedArray } from '../tensor-spec.js';
import type { Traits } from '../traits.js';
import type { Compiled, CompileOptions, Resident } from '../types.js';
import type { WeightSource } from '../weights/weights.js';

export interface Executor {
  readonly traits: Traits;
  /** Its traits, without half precision where the device has none. */
  traitsHere(): Promise<Traits>;
  compile(fn: TensorFunction, options: CompileOptions): Promise<Compiled>;
  /** Puts an array where it computes. */
  resident(data: TypedArray, spec: Required<TensorSpec>): Promise<Resident>;
  /** Frees what it keeps of weights. */
  releaseWeights(source: WeightSource): Promise<void>;
}
