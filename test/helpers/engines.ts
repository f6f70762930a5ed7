/** @file The engines that the same assertions run on. */
import { createRequire } from 'node:module';
import { compile, type Engine } from '../../src/engine/compile.js';
import type { TensorFunction } from '../../src/engine/compiler/trace.js';
import type { TypedArray } from '../../src/engine/tensor-spec.js';
import type { WeightSource } from '../../src/engine/weights/weights.js';

/** An input with its shape; Int32Array feeds int32, Float32Array float32. */
export interface Input {
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

/** An output with its shape. */
export interface Output {
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** Runs a function once on an engine. */
export async function runOn(
  engine: Engine,
  fn: TensorFunction,
  inputs: Readonly<Record<string, Input>>,
  weights?: WeightSource,
): Promise<Record<string, Output>> {
  const specs = Object.entries(inputs).map(([name, { shape, data }]) => [
    name,
    { shape, dtype: data instanceof Int32Array ? ('int32' as const) : ('float32' as const) },
  ]);
  const compiled = await compile(fn, {
    inputs: Object.fromEntries(specs),
    engine,
    ...(weights ? { weights } : {}),
  });
  try {
    const arrays = Object.entries(inputs).map(([name, { data }]) => [name, data]);
    const values = await compiled.run(Object.fromEntries(arrays));
    return Object.fromEntries(
      Object.entries(values).map(([name, data]) => [name, { shape: compiled.outputs[name]!.shape, data }]),
    );
  } finally {
    compiled.dispose();
  }
}

function installed(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

/** Every engine, and why a test must skip it here (null: it need not). */
export const engines: readonly { readonly engine: Engine; readonly skipped: string | null }[] = [
  { engine: 'cpu', skipped: null },
  { engine: 'onnx', skipped: null },
  {
    engine: 'tensorflow',
    skipped: installed('@tensorflow/tfjs-node') ? null : '@tensorflow/tfjs-node is not installed',
  },
];
