import { expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { compile } from '../compile.js';
import { causalAttention } from './causal-attention.js';
import * as tf from './tfjs.js';

// 150 positions: two whole blocks and a part of one.
const [batch, head, pos, dHead] = [2, 3, 150, 4] as const;
const shape = [batch, head, pos, dHead];

/** All scores, then a mask. */
function plainAttention(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, scale: number): tf.Tensor {
  const mask = tf.tensor2d(
    Float32Array.from({ length: pos * pos }, (_, i) => (i % pos > Math.floor(i / pos) ? -1e9 : 0)),
    [pos, pos],
  );
  return tf.matMul(tf.softmax(tf.add(tf.mul(tf.matMul(q, k, false, true), scale), mask)), v);
}

function valueAndGradients(attention: (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => tf.Tensor) {
  return ({ q, k, v, weight }: Record<string, tf.Tensor>) => {
    const loss = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
      tf.sum(tf.mul(attention(q, k, v), weight!)) as tf.Scalar;
    const [dq, dk, dv] = tf.grads(loss as (...x: tf.Tensor[]) => tf.Scalar)([q!, k!, v!]);
    return { z: attention(q!, k!, v!), dq: dq!, dk: dk!, dv: dv! };
  };
}

it('has the value and the gradients of masked attention', async () => {
  const random = new Random(3);
  const arrays = Object.fromEntries(
    ['q', 'k', 'v', 'weight'].map((name) => [name, random.normals(batch * head * pos * dHead)]),
  );
  const inputs = Object.fromEntries(Object.keys(arrays).map((name) => [name, { shape }]));
  const run = async (fn: ReturnType<typeof valueAndGradients>) => {
    const compiled = await compile(fn, { inputs });
    const result = await compiled.run(arrays);
    compiled.dispose();
    return result;
  };
  const blocked = await run(
    valueAndGradients((q, k, v) =>
      causalAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, 0.5),
    ),
  );
  const plain = await run(valueAndGradients((q, k, v) => plainAttention(q, k, v, 0.5)));
  for (const name of ['z', 'dq', 'dk', 'dv']) {
    const difference = blocked[name]!.map((x, i) => Math.abs(x - plain[name]![i]!));
    expect(Math.max(...difference), name).toBeLessThan(2e-5);
    expect(Math.max(...plain[name]!)).toBeGreaterThan(0.1);
  }
});
