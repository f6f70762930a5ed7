/** The workloads of bench/engine: functions of tensors with random weights, as large as the real thing. */
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../src/core/random.js';
import type { TensorFunction } from '../../src/engine/compiler/trace.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import { sizeOf, type TensorSpec } from '../../src/engine/tensor-spec.js';
import { openSafetensors, writeSafetensors } from '../../src/engine/weights/safetensors.js';
import type { WeightArray, WeightSource } from '../../src/engine/weights/weights.js';
import { parseConfig } from '../../src/text/lm/config.js';
import { parameterShapes } from '../../src/text/lm/parameters.js';
import { forward, sequenceLogProbs } from '../../src/text/lm/transformer.js';
import { torchNetwork } from '../../src/vision/torch/index.js';

export interface Workload {
  readonly fn: TensorFunction;
  readonly inputs: Record<string, TensorSpec>;
  readonly weights: WeightSource;
}

const folder = join(tmpdir(), 'superstim-bench');
mkdirSync(folder, { recursive: true });
const random = new Random(0);

/** Random weights in a file, as a user's model would be; written by the first run. */
function weightFile(name: string, shapes: ReadonlyMap<string, readonly number[]>): WeightSource {
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

export const gpt2 = parseConfig(
  { model_type: 'gpt2', n_layer: 12, n_head: 12, n_embd: 768, vocab_size: 50257, n_positions: 1024 },
  'gpt2-small',
);
export const gpt2Weights = weightFile('gpt2', parameterShapes(gpt2));

const vggShapes = new Map<string, readonly number[]>();
const widths = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512];
const convolutions = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28];
for (const [i, width] of widths.entries()) {
  vggShapes.set(`features.${convolutions[i]}.weight`, [width, widths[i - 1] ?? 3, 3, 3]);
  vggShapes.set(`features.${convolutions[i]}.bias`, [width]);
}
for (const [i, [rows, columns]] of [
  [64, 25088],
  [64, 64],
  [1000, 64],
].entries()) {
  vggShapes.set(`classifier.${3 * i}.weight`, [rows!, columns!]);
  vggShapes.set(`classifier.${3 * i}.bias`, [rows!]);
}
const vggWeights = weightFile('vgg16', vggShapes);
const vgg = torchNetwork(vggWeights);

const [value, gradient] = [(x: tf.Tensor) => tf.mean(tf.square(x)), 'gradient'];

export const workloads: Record<string, Workload> = {
  /** (a) A GPT-2-small-sized body, value and gradient with respect to the embeddings. */
  'gpt2-gradient': {
    fn: ({ x }, weights) => {
      const objective = (e: tf.Tensor) =>
        value(forward(gpt2, weights, { embeddings: e }).at('ln_final.hook_normalized'));
      const result = tf.valueAndGrad(objective)(x!);
      return { value: result.value, [gradient]: result.grad };
    },
    inputs: { x: { shape: [32, 16, 768] } },
    weights: gpt2Weights,
  },
  /** (b) The same forward only, with the cross entropy of every token. */
  'gpt2-cross-entropy': {
    fn: ({ ids }, weights) => ({
      logProbs: sequenceLogProbs(gpt2, weights, forward(gpt2, weights, { ids: ids! }), ids!),
    }),
    inputs: { ids: { shape: [256, 12], dtype: 'int32' } },
    weights: gpt2Weights,
  },
  /** (c) One channel of VGG16's block4_conv3, value and gradient with respect to the image. */
  'vgg16-gradient': {
    fn: ({ image }, weights) => {
      const objective = (x: tf.Tensor) =>
        tf.mean(vgg.forward(weights, x as tf.Tensor4D, [{ layer: 'block4_conv3', channels: [4] }])[0]!);
      const result = tf.valueAndGrad(objective)(image!);
      return { value: result.value, [gradient]: result.grad };
    },
    inputs: { image: { shape: [1, 224, 224, 3] } },
    weights: vggWeights,
  },
};

/** Inputs that make sense for a workload: small numbers, token ids. */
export function inputsOf({ inputs }: Workload): Record<string, Float32Array | Int32Array> {
  const make = ({ shape, dtype }: TensorSpec) =>
    dtype === 'int32'
      ? Int32Array.from({ length: sizeOf(shape) }, () => random.integer(50257))
      : random.normals(sizeOf(shape));
  return Object.fromEntries(Object.entries(inputs).map(([name, spec]) => [name, make(spec)]));
}
