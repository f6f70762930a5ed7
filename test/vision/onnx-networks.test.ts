/** Whole networks through .onnx files: activations against ONNX Runtime's, gradients against differences of its own. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, describe, expect, test } from 'vitest';
import { compile } from '../../src/engine/compile.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import type { WeightLookup } from '../../src/engine/weights/weights.js';
import { openVisionNetwork } from '../../src/vision/open.js';
import { googlenet } from '../../src/vision/torch/googlenet.js';
import { inceptionV3 } from '../../src/vision/torch/inception-v3.js';
import { mobilenetV2 } from '../../src/vision/torch/mobilenet-v2.js';
import { resnet } from '../../src/vision/torch/resnet.js';
import { squeezenet } from '../../src/vision/torch/squeezenet.js';
import { vgg } from '../../src/vision/torch/vgg.js';
import { FormulaWeights, uniform } from './formula-weights.js';
import { exportOnnx } from './onnx-export.js';

const fixtures = new URL('../../../shared/fixtures/vision/', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'superstim-networks-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Compared at the first and second layer; the second is where the gradient starts. */
const networks = [
  ['vgg16', vgg, 64, ['features.10', 'features.24']],
  ['resnet18', resnet, 64, ['layer2.0', 'fc']],
  ['googlenet', googlenet, 64, ['inception3a', 'fc']],
  ['mobilenet_v2', mobilenetV2, 64, ['features.5', 'classifier.1']],
  ['squeezenet1_1', squeezenet, 64, ['features.4', 'classifier']],
  ['inception_v3', inceptionV3, 107, ['Mixed_5b', 'fc']],
] as const;

describe.skipIf(!existsSync(fixtures))('networks as .onnx files (needs ../shared/fixtures/vision)', () => {
  test.each(networks)('%s', async (name, build, side, layers) => {
    const { state_dict } = JSON.parse(readFileSync(new URL(`${name}.json`, fixtures), 'utf8'));
    const weights = new FormulaWeights(state_dict);
    const path = join(folder, `${name}.onnx`);
    writeFileSync(path, exportOnnx(build(weights).modules.graph.build(), weights, [3, side, side], layers));
    const session = await InferenceSession.create(path);
    const network = openVisionNetwork(path);
    const area = side * side;
    const swap = (image: Float32Array): Float32Array =>
      image.map((_, k) => image[(k % 3) * area + Math.floor(k / 3)]!); // [3, side, side] -> [side, side, 3]

    const x = uniform('picture', 3 * area);
    const channel = 3;
    const loss = (picture: tf.Tensor, lookup: WeightLookup): tf.Scalar =>
      tf.mean(
        network.forward(lookup, picture as tf.Tensor4D, [{ layer: layers[1], channels: [channel] }])[0]!,
      );
    const step = await compile(
      ({ picture }, lookup) => {
        const [early, late] = network.forward(
          lookup,
          picture as tf.Tensor4D,
          layers.map((layer) => ({ layer })),
        );
        return { early: early!, late: late!, gradient: tf.grad((p) => loss(p, lookup))(picture!) };
      },
      { inputs: { picture: { shape: [1, side, side, 3] } }, weights: network.weights },
    );
    const { early, late, gradient } = await step.run({ picture: swap(x) });
    step.dispose();

    const peer = async (image: Float32Array): Promise<InferenceSession.OnnxValueMapType> =>
      session.run({ x: new Tensor('float32', image, [1, 3, side, side]) });
    const values = await peer(x);
    for (const [layer, got] of [
      [layers[0], early],
      [layers[1], late],
    ] as const) {
      const expected = values[layer]!.data as Float32Array;
      const [, channels, height = 1, width = 1] = values[layer]!.dims as [number, number, number?, number?];
      const differences = expected.map((value, k) => {
        const at = (k % (height * width)) * channels + Math.floor(k / (height * width));
        return Math.abs(value - got![at]!);
      });
      expect(got).toHaveLength(expected.length);
      expect(Math.max(...differences) / Math.max(...expected.map(Math.abs)), layer).toBeLessThan(2e-5);
    }

    // Along the gradient itself the loss must rise as fast as the gradient is long.
    const length = Math.hypot(...gradient!);
    const along = (size: number): Float32Array => {
      const moved = x.slice();
      gradient!.forEach((g, k) => {
        moved[(k % 3) * area + Math.floor(k / 3)]! += (size * g) / length;
      });
      return moved;
    };
    const mean = async (image: Float32Array): Promise<number> => {
      const { data, dims } = (await peer(image))[layers[1]] as Tensor;
      const size = dims.slice(2).reduce((a, b) => a * b, 1);
      const part = (data as Float32Array).subarray(channel * size, (channel + 1) * size);
      return part.reduce((a, b) => a + b, 0) / size;
    };
    const h = 0.002;
    const slope = ((await mean(along(h))) - (await mean(along(-h)))) / (2 * h);
    await session.release();
    expect(Math.abs(slope / length - 1)).toBeLessThan(0.003);
  });
});
