/** The workloads of bench/engine: functions of tensors with random weights, as large as the real thing. */
import * as tf from '../../src/engine/functions/tfjs.js';
import { parseConfig } from '../../src/text/lm/config.js';
import { parameterShapes } from '../../src/text/lm/parameters.js';
import { torchNetwork } from '../../src/vision/torch/index.js';
import { bodyGradient, crossEntropy, type Workload, weightFile } from './workload.js';

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

export const workloads: Record<string, Workload> = {
  /** (a) A GPT-2-small-sized body, value and gradient with respect to the embeddings. */
  'gpt2-gradient': bodyGradient({ spec: gpt2, weights: gpt2Weights }, 32, 16),
  /** (b) The same forward only, with the cross entropy of every token. */
  'gpt2-cross-entropy': crossEntropy({ spec: gpt2, weights: gpt2Weights }, 256, 12),
  /** (c) One channel of VGG16's block4_conv3, value and gradient with respect to the image. */
  'vgg16-gradient': {
    fn: ({ image }, weights) => {
      const objective = (x: tf.Tensor) =>
        tf.mean(vgg.forward(weights, x as tf.Tensor4D, [{ layer: 'block4_conv3', channels: [4] }])[0]!);
      const result = tf.valueAndGrad(objective)(image!);
      return { value: result.value, gradient: result.grad };
    },
    inputs: { image: { shape: [1, 224, 224, 3] } },
    weights: vggWeights,
  },
};
