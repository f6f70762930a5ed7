/**
 * Activations and image gradients of torchvision's networks against PyTorch's, on weights made by a formula.
 *
 * resnet50 layer3 stands next to a kink: PyTorch's own gradient moves by 2.5 % when the picture moves by 1e-6, or when
 * its batch norms are folded. Rounding decides there; eager tfjs-node falls on the other side.
 */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile, type EngineName } from '../../src/engine/compile.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import { torchNetwork } from '../../src/vision/torch/index.js';
import { FormulaWeights, uniform } from './formula-weights.js';

const folder = new URL('../../../shared/fixtures/vision/', import.meta.url);
const present = existsSync(folder);
/** `SUPERSTIM_ENGINE=tensorflow` runs the same tests on tfjs-node. */
const engine = (process.env.SUPERSTIM_ENGINE ?? 'onnx') as EngineName;

/** Some entries of an array [1, channel, height, width] or [1, channel]. */
interface Sample {
  shape: number[];
  mean: number;
  std: number;
  index: number[];
  value: number[];
}

interface Fixture {
  input: number[];
  state_dict: [string, number[]][];
  logits: Sample;
  layers: Record<string, { channel: number; activation: Sample; image_gradient_of_the_channel_mean: Sample }>;
}

/** Entry `k` of a flat [1, channel, height, width] array in one laid out [1, height, width, channel]. */
function atChannelsFirst(
  data: Float32Array,
  [, channels, height = 1, width = 1]: number[],
  k: number,
): number {
  const area = height * width;
  return data[(k % area) * channels! + Math.floor(k / area)]!;
}

/** Largest difference over largest value; mean and standard deviation of the whole count too. */
function relativeError(data: Float32Array, sample: Sample): number {
  expect(data.length).toBe(sample.shape.reduce((a, b) => a * b, 1));
  const mean = data.reduce((a, b) => a + b, 0) / data.length;
  const std = Math.sqrt(data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length);
  const differences = sample.index.map((k, i) =>
    Math.abs(atChannelsFirst(data, sample.shape, k) - sample.value[i]!),
  );
  const scale = Math.max(...sample.value.map(Math.abs));
  return Math.max(
    Math.max(...differences) / (scale || sample.std),
    Math.abs(mean - sample.mean) / sample.std,
    Math.abs(std - sample.std) / sample.std,
  );
}

const networks = [
  'alexnet',
  'vgg16',
  'vgg19',
  'googlenet',
  'inception_v3',
  'resnet18',
  'resnet50',
  'squeezenet1_1',
  'mobilenet_v2',
];

describe.skipIf(!present)('torchvision networks (needs ../shared/fixtures/vision)', () => {
  test.each(networks)('%s', async (name) => {
    const fixture: Fixture = JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'));
    const weights = new FormulaWeights(fixture.state_dict);
    const network = torchNetwork(weights);
    expect(network.name).toBe(name);
    const [batch, channels, height, width] = fixture.input as [number, number, number, number];
    const shape = [batch, height, width, channels];
    const source = uniform('input', batch * channels * height * width);
    const image = new Float32Array(source.length);
    const area = height * width;
    source.forEach((u, k) => {
      image[(k % area) * channels + Math.floor(k / area)] = 0.5 + 0.5 * u;
    });

    const outputs = network.layers.filter((layer) => layer.size.length === 0 && layer.channels === 1000);
    const step = await compile(
      ({ x }, lookup) => ({
        logits: network.forward(lookup, x as tf.Tensor4D, [{ layer: outputs.at(-1)!.name }])[0]!,
      }),
      { inputs: { x: { shape } }, weights, engine },
    );
    const { logits } = await step.run({ x: image });
    step.dispose();
    expect(relativeError(logits as Float32Array, fixture.logits), 'logits').toBeLessThan(1e-4);

    for (const [layer, expected] of Object.entries(fixture.layers)) {
      const loss = (x: tf.Tensor, lookup: Parameters<typeof network.forward>[0]): tf.Scalar =>
        tf.mean(network.forward(lookup, x as tf.Tensor4D, [{ layer, channels: [expected.channel] }])[0]!);
      const step = await compile(
        ({ x }, lookup) => ({
          activation: network.forward(lookup, x as tf.Tensor4D, [{ layer }])[0]!,
          gradient: tf.grad((image) => loss(image, lookup))(x!),
        }),
        { inputs: { x: { shape } }, weights, engine },
      );
      const { activation, gradient } = await step.run({ x: image });
      step.dispose();
      expect(
        relativeError(activation as Float32Array, expected.activation),
        `${layer}: activation`,
      ).toBeLessThan(1e-4);
      expect(
        relativeError(gradient as Float32Array, expected.image_gradient_of_the_channel_mean),
        `${layer}: gradient`,
      ).toBeLessThan(1e-4);
    }
  });
});
