import { describe, expect, it } from 'vitest';
import * as tf from '../functions/tfjs.js';
import { MemoryWeights } from '../weights/weights.js';
import { type TensorFunction, trace } from './trace.js';
import { workingMemory } from './working-memory.js';

const weights = new MemoryWeights(new Map([['w', { shape: [10], data: new Float32Array(10) }]]));
const bytesOf = (fn: TensorFunction) => workingMemory(trace(fn, { x: { shape: [10] } }, weights));
const ARRAY = 40;

describe('workingMemory', () => {
  it('counts what is there at the same time: an array goes after its last use', () => {
    const chain: TensorFunction = ({ x }) => ({ y: tf.exp(tf.sin(tf.exp(tf.sin(x!)))) });
    expect(bytesOf(chain)).toBe(2 * ARRAY);
    const keeping: TensorFunction = ({ x }) => {
      const first = tf.sin(x!);
      return { y: tf.add(first, tf.exp(tf.sin(tf.exp(first)))) };
    };
    expect(bytesOf(keeping)).toBe(3 * ARRAY);
  });

  it('keeps results to the end', () => {
    expect(
      bytesOf(({ x }) => {
        const first = tf.sin(x!);
        return { first, last: tf.exp(tf.sin(tf.exp(first))) };
      }),
    ).toBe(3 * ARRAY);
  });

  it('leaves out what is fed, and other shapes of the same array', () => {
    expect(bytesOf(({ x }) => ({ y: tf.sin(x!) }))).toBe(ARRAY);
    expect(bytesOf(({ x }, w) => ({ y: tf.add(x!, tf.exp(w('w'))) }))).toBe(ARRAY);
    expect(bytesOf(({ x }) => ({ y: tf.sin(tf.reshape(tf.exp(x!), [2, 5])) }))).toBe(2 * ARRAY);
  });
});
