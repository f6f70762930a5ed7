/** Which convolutions are one product for a batch; their values are compared in image-rules.test.ts. */
import { describe, expect, it } from 'vitest';
import * as tf from '../../functions/tfjs.js';
import { MemoryWeights } from '../../weights/weights.js';
import { reachable } from '../reachable.js';
import { trace } from '../trace.js';

const filter = { shape: [3, 3, 2, 5] };

/** How many products and convolutions the value and both gradients are. */
function count(side: number, isTrained = true, dilations = 1) {
  const inputs = { x: { shape: [2, side, side, 2] }, ...(isTrained && { w: filter }) };
  const weights = new MemoryWeights(new Map([['w', { ...filter, data: new Float32Array(90) }]]));
  const { outputs } = trace(
    ({ x, w }, weight) => {
      const conv = (x: tf.Tensor, w: tf.Tensor) =>
        tf.sum(tf.square(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same', 'NHWC', dilations)));
      if (w && dilations === 1) {
        const [dx, dw] = tf.grads(conv)([x!, w]);
        return { dx: dx!, dw: dw! };
      }
      return { y: conv(x!, w ?? weight('w')) };
    },
    inputs,
    weights,
  );
  const { nodes } = reachable(Object.values(outputs));
  return ['Gemm', 'FusedMatMul', 'Conv'].map((op) => nodes.filter((node) => node.op === op).length);
}

describe('a convolution', () => {
  it('of few pixels with a filter that is trained is one product, each gradient another', () => {
    expect(count(8)).toEqual([3, 0, 0]);
  });

  it('of more pixels is none, and the gradient of its filter one a column of it', () => {
    expect(count(9)).toEqual([0, 3, 2]);
  });

  it('with a fixed filter, or one with gaps, is none', () => {
    expect(count(4, false)).toEqual([0, 0, 1]);
    expect(count(4, true, 2)).toEqual([0, 0, 1]);
  });
});
