/** @file Nodes that a function writes into the graph itself while it is traced. Who writes such functions loads no compiler. */
import type * as tf from '../functions/tfjs.js';
import { plainTraits, type Traits } from '../traits.js';
import type { Graph, Value } from './graph.js';

/** Turns tensors of the function being traced into values of its graph, and back. */
export interface Tracer {
  readonly graph: Graph;
  value(tensor: tf.TensorInfo): Value;
  tensor(value: Value): tf.Tensor;
}

let current: Tracer | null = null;

/** Runs `body` as a part of what is traced; null = it is computed. */
export function withTracer<T>(tracer: Tracer | null, body: () => T): T {
  const former = current;
  current = tracer;
  try {
    return body();
  } finally {
    current = former;
  }
}

/** True while a function is being traced: fused operations then emit their ONNX node. */
export const tracing = (): boolean => current !== null;

/** Traits of the device that is being traced for. */
export const tracedTraits = (): Traits => current?.graph.traits ?? plainTraits;

/** Emits one node (or a few) for tensors of the function being traced; gradients are the caller's business. */
export function emit(
  inputs: readonly tf.Tensor[],
  build: (graph: Graph, inputs: Value[]) => Value,
): tf.Tensor {
  const tracer = current!;
  return tracer.tensor(
    build(
      tracer.graph,
      inputs.map((tensor) => tracer.value(tensor)),
    ),
  );
}
