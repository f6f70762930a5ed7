import { expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { compile } from '../compile.js';
import { meanCrossEntropy } from './mean-cross-entropy.js';
import * as tf from './tfjs.js';

// 600 rows of 4,096 logits: two chunks, the second a short one.
const [rows, dModel, vocab] = [600, 5, 4096] as const;

type Loss = (hidden: tf.Tensor2D, unembedding: tf.Tensor2D, targets: tf.Tensor1D) => tf.Scalar;

const plain: Loss = (hidden, unembedding, targets) => {
  const logProbs = tf.logSoftmax(tf.matMul(hidden, unembedding, false, true));
  return tf.neg(tf.mean(tf.sum(tf.mul(logProbs, tf.oneHot(targets, vocab)), -1))) as tf.Scalar;
};

it('has the value and both gradients of the cross entropy', async () => {
  const random = new Random(5);
  const arrays = {
    hidden: random.normals(rows * dModel),
    unembedding: random.normals(vocab * dModel),
    targets: Int32Array.from({ length: rows }, () => random.integer(vocab)),
  };
  const run = async (loss: Loss) => {
    const compiled = await compile(
      ({ hidden, unembedding, targets }) => {
        // Three times the loss: the gradient that comes from above is not one.
        const scaled = (...x: tf.Tensor[]) =>
          tf.mul(3, loss(x[0] as tf.Tensor2D, x[1] as tf.Tensor2D, targets as tf.Tensor1D)) as tf.Scalar;
        const { value, grads } = tf.valueAndGrads(scaled)([hidden!, unembedding!]);
        return { value, dHidden: grads[0]!, dUnembedding: grads[1]! };
      },
      {
        inputs: {
          hidden: { shape: [rows, dModel] },
          unembedding: { shape: [vocab, dModel] },
          targets: { shape: [rows], dtype: 'int32' },
        },
      },
    );
    const result = await compiled.run(arrays);
    compiled.dispose();
    return result;
  };
  const [fused, reference] = [await run(meanCrossEntropy), await run(plain)];
  expect(fused.value![0]).toBeCloseTo(reference.value![0]!, 4);
  for (const name of ['dHidden', 'dUnembedding']) {
    const difference = fused[name]!.map((x, i) => Math.abs(x - reference[name]![i]!));
    expect(Math.max(...difference), name).toBeLessThan(1e-6);
    expect(Math.max(...reference[name]!)).toBeGreaterThan(1e-4);
  }
});
