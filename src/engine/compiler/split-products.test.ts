/** Products by large matrices in half precision: split, and what they are in one piece. */
import { expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { compile, type Precision } from '../compile.js';
import { devices } from '../engine-names.js';
import { graphsOf } from '../execution/compiled.js';
import * as tf from '../functions/tfjs.js';
import { bf16FromFloat32, float32FromBf16 } from '../weights/half.js';
import { MemoryWeights, type WeightSource } from '../weights/weights.js';
import { reachable } from './reachable.js';
import type { TensorFunction } from './trace.js';

/** `m` is eight blocks and a little more, `even` four; `few` is not split. */
const shapes = { m: [2056, 4096], even: [1024, 4096], few: [4, 4096] };
const normals = bf16FromFloat32(new Random(1).normals(65_521));
const bits = new Map(
  Object.entries(shapes).map(([name, [rows, width]]) => [
    name,
    Uint16Array.from({ length: rows! * width! }, (_, i) => normals[i % normals.length]!),
  ]),
);
const floats = new MemoryWeights(
  new Map([
    ...Object.entries(shapes).map(
      ([name, shape]) => [name, { shape, data: float32FromBf16(bits.get(name)!) }] as const,
    ),
    ['bias', { shape: [2056], data: new Random(2).normals(2056) }],
  ]),
);
const halves: WeightSource = {
  names: floats.names,
  shape: (name) => floats.shape(name),
  read: (name) => floats.read(name),
  halves: {
    stay: true,
    type: (name) => (bits.has(name) ? 'bfloat16' : undefined),
    read: (name) => bits.get(name)!.slice(),
  },
};

/** Products by the matrices both ways, some with a bias, and one of two matrices. */
const network: TensorFunction = ({ x, y, short }, w) => {
  const [m, even, few] = ['m', 'even', 'few'].map((name) => w(name) as tf.Tensor2D) as [
    tf.Tensor2D,
    tf.Tensor2D,
    tf.Tensor2D,
  ];
  return {
    columns: tf.add(tf.matMul(x as tf.Tensor2D, m, false, true), w('bias')),
    'even columns': tf.matMul(x as tf.Tensor2D, even, false, true),
    'of weights': tf.matMul(few, even, false, true),
    sums: tf.add(tf.matMul(y as tf.Tensor2D, m), tf.slice(tf.reshape(few, [-1]), [0], [4096])),
    'even sums': tf.matMul(short as tf.Tensor2D, even),
    turned: tf.matMul(tf.transpose(y!) as tf.Tensor2D, m, true, false),
  };
};
const inputs = { x: { shape: [2, 4096] }, y: { shape: [2, 2056] }, short: { shape: [2, 1024] } };

it('go by blocks, and give the same', async () => {
  const random = new Random(3);
  const given = { x: random.normals(2 * 4096), y: random.normals(2 * 2056), short: random.normals(2 * 1024) };
  const results = [];
  for (const weights of [halves, floats]) {
    const program = await compile(network, { inputs, weights, threads: 1 });
    results.push(await program.run(given));
    program.dispose();
  }
  // Bit by bit: no block is so small that its products would be summed up in another order.
  for (const name of ['columns', 'even columns', 'of weights'])
    expect(results[0]![name], name).toEqual(results[1]![name]);
  for (const [name, values] of Object.entries(results[1]!))
    for (const [i, x] of values.entries())
      if (Math.abs(results[0]![name]![i]! - x) > 1e-3) expect(results[0]![name]![i], name).toBe(x);
});

/** The operators of products by the matrices, sorted. */
const products = (weights: WeightSource, precision: Precision = 'float32') => {
  const { outputs } = graphsOf(network, { inputs, weights, precision }, devices.cpu).computed;
  const { nodes } = reachable(Object.values(outputs));
  return nodes.flatMap(({ op }) => (/Gemm|MatMul/.test(op) ? [op] : [])).sort();
};

it('are one node a matrix, and another for what is left behind its blocks', () => {
  const left = ['Gemm', 'Gemm', 'Gemm'];
  expect(products(halves)).toEqual([...Array(6).fill('BlockGemm'), ...left]);
});

it('those that are float32, or in 8 bits, are left as they are', () => {
  expect(products(floats)).not.toContain('BlockGemm');
  expect(products(halves, 'rough')).toEqual(products(floats, 'rough'));
});
