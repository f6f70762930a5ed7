/**
 * @file The tracing backend: runs a TensorFlow.js function once on symbolic tensors and writes down a graph.
 *
 * Autodiff needs nothing of its own: the tape records the kernels, and their gradients are kernels again.
 */
import { fileURLToPath } from 'node:url';
import type { DataId } from '@tensorflow/tfjs-core';
import { loadTfjs } from '../functions/load-tfjs.js';
import type * as tf from '../functions/tfjs.js';
import type { DType, TensorSpec, TypedArray } from '../tensor-spec.js';
import { plainTraits, type Traits } from '../traits.js';
import type { WeightLookup, WeightSource } from '../weights/weights.js';
import { type Tracer, withTracer } from './emit.js';
import { Graph, type Traced, type Value } from './graph.js';
import { rules } from './rules/index.js';
import type { KernelRule, TracedKernels } from './rules/kernels.js';

/** A function of tensors, plain TensorFlow.js, that never reads a tensor's data. */
export type TensorFunction = (
  inputs: Record<string, tf.Tensor>,
  weights: WeightLookup,
) => Record<string, tf.Tensor>;

/** The function asked for something that a trace cannot do; says what and where. */
export class TraceError extends Error {
  override name = 'TraceError';
}

const BACKEND = 'superstim-trace';
const core = loadTfjs();

class TraceBackend extends core.KernelBackend implements Tracer {
  private readonly data = new core.DataStorage<{ graph: Graph; value: Value }>(this, core.engine());
  graph = new Graph();

  /** Starts a new graph. */
  begin(traits: Traits): Graph {
    this.graph = new Graph(traits);
    return this.graph;
  }

  tensorInfo(value: Value): tf.TensorInfo {
    const dataId = {};
    this.data.set(dataId, { graph: this.graph, value });
    return { dataId, shape: [...value.shape], dtype: value.dtype as DType };
  }

  tensor(value: Value): tf.Tensor {
    return core.engine().makeTensorFromTensorInfo(this.tensorInfo(value));
  }

  /** The symbolic value of a tensor. One of an eager backend stays there; its values become a constant here. */
  value({ dataId, shape, dtype }: tf.TensorInfo): Value {
    if (!this.data.has(dataId)) return this.constant(core.engine().readSync(dataId), shape, dtype);
    const { graph, value } = this.data.get(dataId);
    if (graph !== this.graph) throw new TraceError('a symbolic tensor of another compiled function was used');
    return value;
  }

  private constant(values: tf.BackendValues, shape: number[], dtype: tf.DataType): Value {
    if (dtype === 'string' || dtype === 'complex64')
      throw new TraceError(`tensors of type ${dtype} cannot be traced`);
    const array = dtype === 'float32' ? Float32Array : dtype === 'int32' ? Int32Array : Uint8Array;
    return this.graph.constant(array.from(values as TypedArray), shape, dtype);
  }

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): DataId {
    const dataId = {};
    this.move(dataId, values, shape, dtype);
    return dataId;
  }

  override move(dataId: DataId, values: tf.BackendValues, shape: number[], dtype: tf.DataType): void {
    this.data.set(dataId, { graph: this.graph, value: this.constant(values, shape, dtype) });
  }

  override readSync(dataId: DataId): never {
    const { source, shape } = this.data.get(dataId).value;
    const origin = source.kind === 'node' ? `the result of ${source.node.op}` : `a ${source.kind}`;
    throw new TraceError(
      `the data of a symbolic tensor [${shape}] (${origin}) was read at ${callerLine()}: ` +
        'a compiled function must not look at values',
    );
  }

  override read(dataId: DataId): never {
    return this.readSync(dataId);
  }

  override disposeData(): boolean {
    return true;
  }

  override numDataIds(): number {
    return this.data.numDataIds();
  }

  override refCount(): number {
    return 1;
  }

  override incRef(): void {}

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override dispose(): void {}
}

const backend = new TraceBackend();
core.registerBackend(BACKEND, () => backend, 0);

function registerRule<K extends keyof TracedKernels>(kernelName: K, rule: KernelRule<K>): void {
  core.registerKernel({
    kernelName,
    backendName: BACKEND,
    kernelFunc: ({ inputs, attrs }) => {
      const value = (info: tf.TensorInfo | tf.TensorInfo[]) => backend.value(info as tf.TensorInfo);
      const values = Array.isArray(inputs)
        ? inputs.map(value)
        : Object.fromEntries(Object.entries(inputs).map(([name, info]) => [name, value(info!)]));
      try {
        const result = rule(
          backend.graph,
          values as Parameters<KernelRule<K>>[1],
          attrs as TracedKernels[K][1],
        );
        return Array.isArray(result) ? result.map((v) => backend.tensorInfo(v)) : backend.tensorInfo(result);
      } catch (error) {
        if (error instanceof TraceError || !(error instanceof Error)) throw error;
        throw new TraceError(`${kernelName} at ${callerLine()}: ${error.message}`, { cause: error });
      }
    },
  });
}

for (const [kernelName, rule] of Object.entries(rules))
  registerRule(kernelName as 'Abs', rule as KernelRule<'Abs'>);

/** Kernels of TensorFlow.js without a rule: using one is an error that names it. */
for (const kernelName of Object.values<unknown>(core)) {
  if (typeof kernelName !== 'string' || !/^[A-Z_]/.test(kernelName) || kernelName in rules) continue;
  core.registerKernel({
    kernelName,
    backendName: BACKEND,
    kernelFunc: () => {
      throw new TraceError(`the operation ${kernelName} has no rule for compiling (used at ${callerLine()})`);
    },
  });
}

const ENGINE_FOLDER = fileURLToPath(new URL('..', import.meta.url));

/** Where the traced function called TensorFlow.js: the first frame outside it and outside the engine. */
function callerLine(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 60;
  const frames = new Error().stack?.split('\n').slice(1) ?? [];
  Error.stackTraceLimit = limit;
  const own = frames.find(
    (frame) =>
      !frame.includes('@tensorflow') &&
      (frame.includes('.test.') || !frame.includes(ENGINE_FOLDER)) &&
      !frame.includes('node:'),
  );
  return /\(?([^()\s]+:\d+:\d+)\)?$/.exec(own ?? '')?.[1] ?? 'an unknown line';
}

/** Runs `fn` once on symbolic tensors. Throws TraceError where it does what cannot be compiled. */
export function trace(
  fn: TensorFunction,
  inputs: Readonly<Record<string, TensorSpec>>,
  weights?: WeightSource,
  traits = plainTraits,
): Traced {
  return onBackend(BACKEND, () => {
    const graph = backend.begin(traits);
    const symbols = Object.fromEntries(
      Object.entries(inputs).map(([name, { shape, dtype }]) => [
        name,
        backend.tensor(graph.input(name, shape, dtype ?? 'float32')),
      ]),
    );
    const outputs = fn(symbols, (name) => {
      if (!weights) throw new TraceError(`the function asked for the weight "${name}" but was given none`);
      return backend.tensor(graph.weight(name, weights.shape(name)));
    });
    const values = Object.entries(outputs).map(([name, output]) => [name, backend.value(output)] as const);
    return { graph, outputs: Object.fromEntries(values) };
  });
}

/** Runs `body` in a tidy scope on a backend and puts the former backend back. */
export function onBackend<T>(name: string, body: () => T): T {
  const former = core.getBackend();
  // Resolves at once for backends that need no asynchronous set-up; all of ours are such.
  void core.setBackend(name);
  core.engine().startScope();
  try {
    return withTracer(name === BACKEND ? backend : null, body);
  } finally {
    core.engine().endScope();
    if (former) void core.setBackend(former);
  }
}
