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
import { runsOnCpu } from './compiler/op-table.js';
import { printTraced } from './compiler/print.js';
import type { TensorFunction } from './compiler/trace.js';
import { type Device, deviceNames, devices, type Engine, engineOn, halfEngines } from './engine-names.js';
import { compiledOn, graphsOf } from './execution/compiled.js';
import { eagerOn } from './execution/eager.js';
import type { Executor } from './execution/executor.js';
import type { TensorSpec, TypedArray } from './tensor-spec.js';
import { mostThreads } from './threads.js';
import type { Traits } from './traits.js';
import type { Compiled, CompileOptions, Resident } from './types.js';
import type { WeightSource } from './weights/weights.js';

export { type Device, deviceNames, type Engine, type EngineName, engineNames } from './engine-names.js';
export type { Traits } from './traits.js';
export type { Compiled, CompileOptions, Precision, Resident, RunInput } from './types.js';

const whole = new OnnxRuntime('cpu', devices.cpu);
const executors = {
  tensorflow: eagerOn('tensorflow'),
  cpu: eagerOn('cpu'),
  ...Object.fromEntries(
    deviceNames.map((device) => [
      engineOn('onnx', device),
      compiledOn(device === 'cpu' ? whole : new OnnxRuntime(device, devices[device])),
    ]),
  ),
  [halfEngines[0]]: compiledOn(whole.half()),
  [halfEngines[1]]: compiledOn(new OnnxRuntime('cpu', devices.cpu, 'second').half()),
} as Readonly<Record<Engine, Executor>>;

/** Why a device cannot be used here, in a sentence; null where it can. */
export async function deviceTrouble(device: Device): Promise<string | null> {
  try {
    const { resident } = executors[engineOn('onnx', device)];
    (await resident(Float32Array.of(0), { shape: [1], dtype: 'float32' })).release();
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/** The traits of an engine that can be used here, without half precision where its device has none. */
export const traitsHere = (engine: Engine): Promise<Traits> => executors[engine].traitsHere();

/** Two engines that compute side by side; twice the same where there is one core, or the engine is no processor. */
export const sideBySide = (engine: Engine): readonly [Engine, Engine] =>
  engine === 'onnx' && mostThreads() > 1 ? halfEngines : [engine, engine];

/** What is fastest, or goes wrong, on an engine. */
export function traitsOf(engine: Engine): Traits {
  return executors[engine].traits;
}

/**
 * Compiles a function for fixed input shapes.
 *
 * @throws TraceError when the function reads a tensor or uses an operation without a rule
 * @throws UserError when the engine is not installed, or a weight holds NaN or infinity
 */
export function compile(fn: TensorFunction, options: CompileOptions): Promise<Compiled> {
  return executors[options.engine ?? 'onnx'].compile(fn, options);
}

/**
 * The program that a function compiles to, as text: a node per line, with shapes, types and attributes; nodes marked `once`
 * are computed once for a set of weights, nodes marked `cpu` on the CPU, since the device has no kernel for them. For
 * debugging; nothing is run.
 */
export function printProgram(fn: TensorFunction, options: CompileOptions): string {
  const traits = traitsOf(options.engine ?? 'onnx');
  const { computed } = graphsOf(fn, options, traits);
  return printTraced(computed, (node) => traits.lacksKernels && runsOnCpu(node));
}

/**
 * Frees what engines keep of a network's weights. Compiled functions that use them can still run on `onnx` until they
 * are disposed of; compiling another reads the weights again.
 */
export async function releaseWeights(source: WeightSource): Promise<void> {
  for (const executor of Object.values(executors)) await executor.releaseWeights(source);
}

/** Puts an array into an engine, to be fed to many runs. */
export function resident(
  data: TypedArray,
  { shape, dtype = 'float32' }: TensorSpec,
  engine: Engine = 'onnx',
): Promise<Resident> {
  return executors[engine].resident(data, { shape, dtype });
}
