/** Products by large matrices in half precision: split, and what they are in one piece. */
import { expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { compile } from '../compile.js';
import { devices } from '../engine-names.js';
import { graphsOf } from '../execution/compiled.js';
import * as tf from '../functions/tfjs.js';
import { bf16FromFloat32, float32FromBf16 } from '../weights/half.js';
import { MemoryWeights, type WeightSource } from '../weights/weights.js';
import { reachable } from './reachable.js';
import type { TensorFunction } from './trace.js';

/** Eight blocks and a little more. */
const shape = [2056, 4096];
const few = bf16FromFloat32(new Random(1).normals(65_521));
const bits = Uint16Array.from({ length: shape[0]! * shape[1]! }, (_, i) => few[i % few.length]!);
const floats = new MemoryWeights(
  new Map([
    ['m', { shape, data: float32FromBf16(bits) }],
    ['bias', { shape: [shape[0]!], data: new Random(2).normals(shape[0]!) }],
  ]),
);
const halves: WeightSource = {
  names: floats.names,
  shape: (name) => floats.shape(name),
  read: (name) => floats.read(name),
  halves: { stay: true, type: (name) => (name === 'm' ? 'bfloat16' : undefined), read: () => bits.slice() },
};

/** Products by the matrix both ways, one with a bias. */
const network: TensorFunction = ({ x, y }, w) => {
  const m = w('m') as tf.Tensor2D;
  return {
    columns: tf.add(tf.matMul(x as tf.Tensor2D, m, false, true), w('bias')),
    sums: tf.add(tf.matMul(y as tf.Tensor2D, m), 1),
    turned: tf.matMul(tf.transpose(y!) as tf.Tensor2D, m, true, false),
  };
};
const inputs = { x: { shape: [2, shape[1]!] }, y: { shape: [2, shape[0]!] } };

it('are split, and give the same', async () => {
  const random = new Random(3);
  const given = { x: random.normals(2 * shape[1]!), y: random.normals(2 * shape[0]!) };
  const results = [];
  for (const weights of [halves, floats]) {
    const program = await compile(network, { inputs, weights, threads: 1 });
    results.push(await program.run(given));
    program.dispose();
  }
  // Bit by bit: no block is so small that its products would be summed up in another order.
  expect(results[0]!.columns).toEqual(results[1]!.columns);
  for (const [name, values] of Object.entries(results[1]!))
    for (const [i, x] of values.entries())
      if (Math.abs(results[0]![name]![i]! - x) > 1e-3) expect(results[0]![name]![i], name).toBe(x);
});

it('those that are float32 are left as they are', () => {
  const products = (weights: WeightSource) => {
    const { outputs } = graphsOf(network, { inputs, weights }, devices.cpu).computed;
    return reachable(Object.values(outputs)).nodes.filter(({ op }) => op === 'Gemm').length;
  };
  expect(products(halves)).toBeGreaterThan(products(floats));
  expect(products(floats)).toBeLessThanOrEqual(3);
});
