import { expect, it } from 'vitest';
import { printProgram } from '../compile.js';
import * as tf from '../functions/tfjs.js';
import { MemoryWeights } from '../weights/weights.js';
import { Graph } from './graph.js';

const weights = new MemoryWeights(new Map([['w', { shape: [4, 3], data: new Float32Array(12) }]]));

it('prints a program one node per line', () => {
  const program = printProgram(
    ({ x }, weight) => {
      const product = tf.matMul(x as tf.Tensor2D, tf.relu(weight('w')) as tf.Tensor2D);
      const { values, indices } = tf.topk(tf.mul(product, 2), 1);
      return { top: values, at: indices };
    },
    { inputs: { x: { shape: [2, 4] } }, weights },
  );
  expect(program.split('\n')).toEqual([
    'input x: float32[2,4]',
    'weight w: float32[4,3]',
    'once a: float32[4,3] = Relu(w)',
    'b: float32[2,3] = Gemm(x, a) transA=0 transB=0',
    'c: float32[2,3] = Mul(b, 2)',
    'd: float32[2,1], e: int64[2,1] = TopK(c, [1]) axis=1 sorted=1',
    'f: int32[2,1] = Cast(e) to=6',
    'return top=d at=f',
  ]);
});

it('shows what the compiler has left out: a slice of a product needs a slice of the weight', () => {
  const program = printProgram(
    ({ x }, weight) => ({
      y: tf.slice(tf.matMul(x as tf.Tensor2D, weight('w') as tf.Tensor2D, false, true), [0, 1], [2, 1]),
    }),
    {
      inputs: { x: { shape: [2, 64] } },
      weights: new MemoryWeights(new Map([['w', { shape: [32, 64], data: new Float32Array(32 * 64) }]])),
    },
  );
  expect(program).toContain('once a: float32[1,64] = Slice(w, [1], [2], [0], [1])');
  expect(program).toContain('Gemm(x, a)');
});

it('an operator that the table of facts lacks does not compile', () => {
  const graph = new Graph();
  // @ts-expect-error: the type check asks for its line in op-table.ts
  expect(graph.unary('Acosh', graph.input('x', [2], 'float32')).shape).toEqual([2]);
});
