/** @file What a workload is: a function of tensors with weights in a file, and inputs for it. */
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/core/random.js';
import type { TensorFunction } from '../../src/engine/compiler/trace.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import { sizeOf, type TensorSpec } from '../../src/engine/tensor-spec.js';
import { openSafetensors, writeSafetensors } from '../../src/engine/weights/safetensors.js';
import type { WeightArray, WeightSource } from '../../src/engine/weights/weights.js';
import type { TransformerSpec } from '../../src/text/lm/spec.js';
import { forward, sequenceLogProbs } from '../../src/text/lm/transformer.js';

export interface Workload {
  readonly fn: TensorFunction;
  readonly inputs: Record<string, TensorSpec>;
  readonly weights: WeightSource;
  /** Of inputs that are token ids: how many tokens there are. */
  readonly tokens?: number;
}

const folder = join(tmpdir(), 'superstim-bench');
mkdirSync(folder, { recursive: true });
const random = new Random(0);

/** Random weights in a file, as a user's model would be; written by the first run. */
export function weightFile(name: string, shapes: ReadonlyMap<string, readonly number[]>): WeightSource {
  const path = join(folder, `${name}.safetensors`);
  if (existsSync(path)) return openSafetensors(path);
  const arrays = [...shapes].map(([key, shape]): [string, WeightArray] => {
    const deviation = shape.length === 4 ? Math.sqrt(2 / sizeOf(shape.slice(1))) : 0.02;
    const data = new Float32Array(sizeOf(shape));
    for (let i = 0; i < data.length; i++) data[i] = deviation * (random.uniform() - 0.5) * 3.46;
    return [key, { shape, data }];
  });
  writeSafetensors(path, arrays);
  return openSafetensors(path);
}

interface Transformer {
  readonly spec: TransformerSpec;
  readonly weights: WeightSource;
}

/** Value and gradient of a transformer's body with respect to embeddings. */
export const bodyGradient = ({ spec, weights }: Transformer, batch: number, pos: number): Workload => ({
  fn: ({ x }, lookup) => {
    const objective = (e: tf.Tensor) =>
      tf.mean(tf.square(forward(spec, lookup, { embeddings: e }).at('ln_final.hook_normalized')));
    const { value, grad } = tf.valueAndGrad(objective)(x!);
    return { value, gradient: grad };
  },
  inputs: { x: { shape: [batch, pos, spec.dModel] } },
  weights,
});

/** Forward with the cross entropy of every token. */
export const crossEntropy = ({ spec, weights }: Transformer, batch: number, pos: number): Workload => ({
  fn: ({ ids }, lookup) => ({
    logProbs: sequenceLogProbs(spec, lookup, forward(spec, lookup, { ids: ids! }), ids!),
  }),
  inputs: { ids: { shape: [batch, pos], dtype: 'int32' } },
  weights,
  tokens: spec.vocab,
});

/** Inputs that make sense for a workload: small numbers, token ids. */
export function inputsOf({ inputs, tokens = 2 }: Workload): Record<string, Float32Array | Int32Array> {
  const make = ({ shape, dtype }: TensorSpec) =>
    dtype === 'int32'
      ? Int32Array.from({ length: sizeOf(shape) }, () => random.integer(tokens))
      : random.normals(sizeOf(shape));
  return Object.fromEntries(Object.entries(inputs).map(([name, spec]) => [name, make(spec)]));
}
