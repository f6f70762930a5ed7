/** Products in half precision: what is put in their place, and on a GPU that computes in it, how good they are. */
import { describe, expect, it } from 'vitest';
import { hasHalves, webgpu } from '../../../test/helpers/webgpu.js';
import { Random } from '../../core/random.js';
import { compile, type Precision, printProgram } from '../compile.js';
import { rmsNorm } from '../functions/ops.js';
import * as tf from '../functions/tfjs.js';
import { MemoryWeights } from '../weights/weights.js';
import type { TensorFunction } from './trace.js';

const random = new Random(5);
const array = (...shape: number[]) => ({ shape, data: random.normals(shape.reduce((a, b) => a * b, 1)) });
const weights = new MemoryWeights(
  new Map([
    ['up', array(16, 32)],
    ['down', array(32, 16)],
    ['bias', array(16)],
    ['filter', array(3, 3, 4, 8)],
    ['scale', array(8)],
  ]),
);

/** A product of what a norm made, one of what none did with a bias, and one without weights. */
const layers: TensorFunction = ({ x }, w) => {
  const up = tf.matMul(rmsNorm(x!, tf.ones([16]), 1e-5) as tf.Tensor2D, w('up') as tf.Tensor2D);
  const down = tf.add(tf.matMul(tf.mul(up, up) as tf.Tensor2D, w('down') as tf.Tensor2D), w('bias'));
  return { down, gram: tf.matMul(down as tf.Tensor2D, down as tf.Tensor2D, false, true) };
};
/** A convolution with a bias, and a gradient through it. */
const picture: TensorFunction = ({ x }, w) => {
  const value = (x: tf.Tensor) => {
    const y = tf.conv2d(x as tf.Tensor4D, w('filter') as tf.Tensor4D, 1, 'same');
    return tf.sum(tf.square(tf.relu(tf.add(y, w('scale')))));
  };
  return { value: value(x!), gradient: tf.grad(value)(x!) };
};
const functions = {
  layers: { fn: layers, inputs: { x: { shape: [6, 16] } } },
  picture: { fn: picture, inputs: { x: { shape: [2, 9, 9, 4] } } },
};
const options = { weights, engine: webgpu.engine, precision: 'rough' } as const;

it('casts weights once, and what they multiply', () => {
  const text = printProgram(layers, { ...options, inputs: functions.layers.inputs });
  const lines = text.split('\n');
  expect(lines.filter((line) => line.startsWith('once') && line.includes('float16'))).toHaveLength(2);
  const products = lines.filter((line) => / = (Gemm|MatMul)\(/.test(line));
  expect(products.filter((line) => line.includes('float16['))).toHaveLength(2);
  expect(products.filter((line) => line.includes('float32['))).toHaveLength(1);
  // Only what no norm made is brought to a range.
  expect(lines.filter((line) => line.includes('= ReduceMax('))).toHaveLength(1);
});

const run = async ({ fn, inputs }: (typeof functions)['layers'], precision: Precision, factor = 1) => {
  const compiled = await compile(fn, { ...options, inputs, precision });
  const size = inputs.x.shape.reduce((a, b) => a * b, 1);
  const x = new Random(1).normals(size).map((value) => factor * value);
  const values = await compiled.run({ x });
  compiled.dispose();
  return values;
};
/** Distance over length. */
const off = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.hypot(...Array.from(a, (x, i) => x - b[i]!)) / Math.hypot(...Array.from(b));

const isHalf = await hasHalves();

describe.skipIf(!isHalf)(`on a GPU with half precision${isHalf ? '' : ' (there is none)'}`, () => {
  it.each(Object.entries(functions))('is good to a few thousandths: %s', async (_name, one) => {
    // Squares and gradients of such numbers are outside of half precision.
    for (const factor of [1, 1e-4, 1e4]) {
      const [exact, rough] = [await run(one, 'float32', factor), await run(one, 'rough', factor)];
      for (const [name, values] of Object.entries(rough)) {
        expect(off(values, exact[name]!)).toBeLessThan(4e-3);
      }
    }
  });
});
