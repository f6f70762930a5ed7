import { describe, expect, it } from 'vitest';
import * as tf from '../../engine/functions/tfjs.js';
import { withRedirectedRelu } from './redirected-relu.js';

describe('withRedirectedRelu', () => {
  const gradientOf = (x: number[][], push: number[][]) => {
    const gradient = withRedirectedRelu(() =>
      tf.grad((t) => tf.sum(tf.mul(tf.relu(t), tf.tensor2d(push))))(tf.tensor2d(x)),
    );
    return gradient.arraySync();
  };

  it('lifts what is silent, sample by sample, and is gone afterwards', async () => {
    await import('@tensorflow/tfjs-backend-cpu');
    await tf.setBackend('cpu');
    const silent = [-1, -2, -3];
    const mixed = [1, -2, -3];
    const push = [2, -5, 0.5];
    expect(gradientOf([silent, mixed], [push, push])).toEqual([
      [2, 0, 0.5],
      [2, 0, 0],
    ]);
    const plain = tf.grad((t) => tf.sum(tf.relu(t)))(tf.tensor1d(silent));
    expect(plain.arraySync()).toEqual([0, 0, 0]);
    expect(() =>
      withRedirectedRelu(() => {
        throw new Error('in the middle');
      }),
    ).toThrow('in the middle');
    expect(
      tf
        .grad((t) => tf.sum(tf.relu(t)))(tf.tensor1d(silent))
        .arraySync(),
    ).toEqual([0, 0, 0]);
  });

  it('has the gradient of any clipped activation', () => {
    const slope = (x: number[]) =>
      withRedirectedRelu(() =>
        tf.grad((t) => tf.sum(tf.mul(tf.clipByValue(t, -1, 1), tf.tensor2d([[1, -1, 1, -1]]))))(
          tf.tensor2d([x]),
        ),
      ).arraySync();
    expect(slope([-2, -2, 3, 3])).toEqual([[1, 0, 0, -1]]);
    expect(slope([-2, -2, 0, 3])).toEqual([[0, 0, 1, 0]]);
  });

  it('has the gradient of a relu6 too', () => {
    const gradient = withRedirectedRelu(() =>
      tf.grad((t) => tf.sum(tf.mul(tf.relu6(t), tf.tensor2d([[1, -1, 1, -1]]))))(
        tf.tensor2d([[-1, -1, 7, 7]]),
      ),
    );
    expect(gradient.arraySync()).toEqual([[1, 0, 0, -1]]);
  });
});
