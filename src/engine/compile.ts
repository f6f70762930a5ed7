/**
 * @file `compile()`: a TensorFlow.js function in, a compiled function out; what `tf.function` is to TensorFlow.
 *
 * ```ts
 * const step = await compile(fn, { inputs: { x: { shape: [8, 12], dtype: 'int32' } } });
 * const { value, gradient } = await step.run({ x });
 * ```
 */
import { UserError } from '../core/errors.js';
import { OnnxRuntime } from './backends/onnx-runtime.js';
import { printTraced } from './compiler/print.js';
import type { TensorFunction } from './compiler/trace.js';
import type { Device, EngineName } from './engine-names.js';
import { compiledOn, graphsOf } from './execution/compiled.js';
import { eagerOn } from './execution/eager.js';
import type { Executor } from './execution/executor.js';
import type { TensorSpec, TypedArray } from './tensor-spec.js';
import { type Compiled, type CompileOptions, plainTraits, type Resident, type Traits } from './types.js';
import type { WeightSource } from './weights/weights.js';

export { type Device, deviceNames, type EngineName, engineNames } from './engine-names.js';
export type { Compiled, CompileOptions, Precision, Resident, RunInput, Traits } from './types.js';

const compiled: Readonly<Record<Device, Executor>> = {
  cpu: compiledOn(new OnnxRuntime('cpu', { fastInt8: true, fastHardSigmoid: true, widensHalves: true })),
  webgpu: compiledOn(new OnnxRuntime('webgpu', plainTraits)),
};
const eager = { tensorflow: eagerOn('tensorflow'), cpu: eagerOn('cpu') };

let defaultDevice: Device = 'cpu';

/**
 * Where compiled functions run from now on. Set it before anything is compiled: arrays of one device are no inputs on
 * another. Eager engines do not use it.
 *
 * @throws UserError when there is no such device here
 */
export async function setDevice(device: Device): Promise<void> {
  const trouble = await deviceTrouble(device);
  if (trouble) throw new UserError(trouble);
  defaultDevice = device;
}

/** Why a device cannot be used here, in a sentence; null where it can. */
export async function deviceTrouble(device: Device): Promise<string | null> {
  try {
    (await compiled[device].resident(Float32Array.of(0), { shape: [1], dtype: 'float32' })).release();
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

function executorOf(engine: EngineName): Executor {
  return engine === 'onnx' ? compiled[defaultDevice] : eager[engine];
}

/** What is fastest on an engine. */
export function traitsOf(engine: EngineName): Traits {
  return executorOf(engine).traits;
}

/**
 * Compiles a function for fixed input shapes.
 *
 * @throws TraceError when the function reads a tensor or uses an operation without a rule
 * @throws UserError when the engine is not installed, or a weight holds NaN or infinity
 */
export function compile(fn: TensorFunction, options: CompileOptions): Promise<Compiled> {
  return executorOf(options.engine ?? 'onnx').compile(fn, options);
}

/**
 * The program that a function compiles to, as text: a node a line, with shapes, types and attributes; nodes marked `once`
 * are computed once for a set of weights. For debugging; nothing is run.
 */
export function printProgram(fn: TensorFunction, options: CompileOptions): string {
  return printTraced(graphsOf(fn, options, traitsOf('onnx')).computed);
}

/**
 * Frees what engines keep of a network's weights. Compiled functions that use them can still run on `onnx` until they
 * are disposed of; compiling another reads the weights again.
 */
export async function releaseWeights(source: WeightSource): Promise<void> {
  for (const executor of [...Object.values(compiled), ...Object.values(eager)])
    await executor.releaseWeights(source);
}

/** Puts an array into an engine, to be fed to many runs. */
export function resident(
  data: TypedArray,
  { shape, dtype = 'float32' }: TensorSpec,
  engine: EngineName = 'onnx',
): Promise<Resident> {
  return executorOf(engine).resident(data, { shape, dtype });
}
