import { describe, expect, it } from 'vitest';
import { Random } from '../../../core/random.js';
import { compile, type Precision, printProgram } from '../../compile.js';
import { hasDotProducts } from '../../dot-products.js';
import * as tf from '../../functions/tfjs.js';
import { plainTraits } from '../../traits.js';
import { MemoryWeights, type WeightArray } from '../../weights/weights.js';
import { type TensorFunction, trace } from '../trace.js';
import { gainsInBytes } from './quantize-pictures.js';

type Picture = tf.Tensor4D;
const SIZE = 51;
const inputs = { x: { shape: [1, SIZE, SIZE, 3] } };
const random = Random.of(3, 'rough pictures');

const shapes = {
  first: [3, 3, 3, 32],
  same: [3, 3, 32, 32],
  wide: [3, 3, 32, 96],
  again: [3, 3, 96, 96],
  last: [3, 3, 96, 1],
};
const weights = new MemoryWeights(
  new Map(
    Object.entries(shapes).flatMap(([name, shape]): [string, WeightArray][] => {
      const [size, fan] = [shape.reduce((a, b) => a * b), 9 * shape[2]!];
      // Channels of very different size: a filter has a scale for each.
      const data = random.normals(size).map((x, i) => (x * (1 + (i % 7))) / (3 * Math.sqrt(fan)));
      const bias = random.normals(shape[3]!).map((x) => x / 5);
      return [
        [name, { shape, data }],
        [`${name} bias`, { shape: [shape[3]!], data: bias }],
      ];
    }),
  ),
);

/** Convolutions with ReLUs, a max pool of an odd number of pixels between them, a channel's mean and its gradient. */
const network: TensorFunction = ({ x }, w) => {
  const layer = (y: tf.Tensor, name: string) =>
    tf.relu(tf.add(tf.conv2d(y as Picture, w(name) as Picture, 1, 'same'), w(`${name} bias`)));
  const channel = (x: tf.Tensor) => {
    const pooled = tf.maxPool(layer(layer(x, 'first'), 'same') as Picture, 2, 2, 'valid');
    return tf.mean(layer(layer(layer(pooled, 'wide'), 'again'), 'last'));
  };
  const { value, grad } = tf.valueAndGrad(channel)(x!);
  return { value, gradient: grad };
};

const run = async (precision: Precision, x: Float32Array) => {
  const compiled = await compile(network, { inputs, weights, precision, packed: true });
  const { value, gradient } = await compiled.run({ x });
  compiled.dispose();
  return { value: value![0]!, gradient: gradient as Float32Array };
};

describe('quantizePictures', () => {
  it('gives about the same value and direction of the gradient, whatever their size', async () => {
    for (const size of [1, 1000]) {
      const x = random.normals(SIZE * SIZE * 3).map((value) => size * value);
      const [exact, rough] = [await run('float32', x), await run('rough', x)];
      expect(Math.abs(rough.value / exact.value - 1)).toBeLessThan(0.05);
      const dot = exact.gradient.reduce((sum, value, i) => sum + value * rough.gradient[i]!, 0);
      const cosine = dot / Math.hypot(...exact.gradient) / Math.hypot(...rough.gradient);
      // Not more: a ReLU that is a little above zero in one is zero in the other.
      expect(cosine).toBeGreaterThan(0.95);
      expect(cosine).toBeLessThan(1 - 1e-4);
    }
  });

  it('keeps what lies between two convolutions in bytes', () => {
    const options = { inputs, weights, precision: 'rough', packed: true } as const;
    const count = (text: string, op: string) => text.match(new RegExp(` = ${op}\\(`, 'g'))?.length ?? 0;
    const program = printProgram(network, options);
    const counts = ['QLinearConv', 'NhwcMaxPool', 'QuantizeLinear', 'DequantizeLinear', 'MaxUnpool'].map(
      (op) => count(program, op),
    );
    // The first and the last convolution, and their gradients, are too small.
    expect(counts).toEqual([6, 1, 2, 2, 0]);
    for (const other of [{ precision: 'float32' }, { engine: 'onnx:webgpu' }, { packed: false }] as const)
      expect(count(printProgram(network, { ...options, ...other }), 'QLinearConv')).toBe(0);
  });

  it('is worth it where large convolutions are nearly everything', async () => {
    const ofSize = (size: number, fn = network) =>
      gainsInBytes(trace(fn, { x: { shape: [1, size, size, 3] } }, weights, plainTraits));
    expect([ofSize(SIZE), ofSize(400)]).toEqual([false, true]);
    const withOthers: TensorFunction = (inputs, w) => {
      const { gradient } = network(inputs, w) as { gradient: Picture };
      const small = Array.from({ length: 32 }, (_, i) =>
        tf.conv2d(tf.mul(gradient, i + 1) as Picture, w('first') as Picture, 1, 'same'),
      );
      return { sum: tf.addN(small) };
    };
    expect(ofSize(400, withOthers)).toBe(false);
    const gains = async (engine: 'onnx' | 'cpu') => {
      const compiled = await compile(network, {
        inputs: { x: { shape: [1, 400, 400, 3] } },
        weights,
        engine,
      });
      compiled.dispose();
      return compiled.gainsRoughly;
    };
    expect([await gains('onnx'), await gains('cpu')]).toEqual([hasDotProducts(), false]);
  });
});
