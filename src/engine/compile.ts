/**
 * @file `compile()`: a TensorFlow.js function in, a compiled function out; what `tf.function` is to TensorFlow.
 *
 * ```ts
 * const step = await compile(fn, { inputs: { x: { shape: [8, 12], dtype: 'int32' } } });
 * const { value, gradient } = await step.run({ x });
 * ```
 */
import { compileEager, releaseEager, residentEager } from './backends/eager.js';
import { compileOnnx, releaseOnnx, residentOnnx } from './backends/onnx-engine.js';
import type { TensorFunction } from './compiler/trace.js';
import { type EngineName, engineNames } from './engine-names.js';
import type { DType, TensorSpec, TypedArray } from './tensor-spec.js';
import type { WeightSource } from './weights/weights.js';

export { type EngineName, engineNames };

/** Of matrix products by weights. */
export type Precision = 'float32' | 'int8';

export interface CompileOptions {
  readonly inputs: Readonly<Record<string, TensorSpec>>;
  /** What the function's second argument looks up. */
  readonly weights?: WeightSource;
  readonly engine?: EngineName;
  /**
   * `int8`: products by weights in 8 bits, several times as fast and good to about a percent: for proposing and
   * ranking, not for what is reported. Eager engines compute in float32 whatever is said here.
   */
  readonly precision?: Precision;
  /** Of `int8`: rows behind a norm are of one range, none much larger than others; saves bringing them to one. */
  readonly evenRows?: boolean;
  /**
   * Of `int8`: the function has its own copy of the matrices, laid out for products: four fifths to nine tenths of the time
   * (bench/engine/packed.ts). For functions that are run very often.
   */
  readonly packed?: boolean;
  /** Threads of one operation, 0: as many as there are cores; what the graph is worth unless told otherwise. */
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

/**
 * Compiles a function for fixed input shapes.
 *
 * @throws TraceError when the function reads a tensor or uses an operation without a rule
 * @throws UserError when the engine is not installed
 */
export function compile(fn: TensorFunction, options: CompileOptions): Promise<Compiled> {
  const engine = options.engine ?? 'onnx';
  return engine === 'onnx' ? compileOnnx(fn, options) : compileEager(fn, options, engine);
}

/**
 * Frees what engines keep of a network's weights. Compiled functions that use them can still run on `onnx` until they
 * are disposed of; compiling another reads the weights again.
 */
export async function releaseWeights(source: WeightSource): Promise<void> {
  releaseEager(source);
  await releaseOnnx(source);
}

/** Puts an array into an engine, to be fed to many runs. */
export function resident(
  data: TypedArray,
  { shape, dtype = 'float32' }: TensorSpec,
  engine: EngineName = 'onnx',
): Promise<Resident> {
  return engine === 'onnx' ? residentOnnx(data, shape, dtype) : residentEager(engine, data, shape, dtype);
}
