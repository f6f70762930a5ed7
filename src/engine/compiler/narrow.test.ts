import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { compile } from '../compile.js';
import { softmaxAttention } from '../functions/attention.js';
import * as tf from '../functions/tfjs.js';
import { MemoryWeights } from '../weights/weights.js';
import { narrow } from './narrow.js';
import { buildProgram } from './program.js';
import { type TensorFunction, trace } from './trace.js';

const random = Random.of(3, 'narrow');
const [BATCH, POS, WIDTH, HEADS, NEURONS] = [2, 3, 16, 4, 24];
const weights = new MemoryWeights(
  new Map(
    Object.entries({
      up: [WIDTH, NEURONS],
      gate: [NEURONS, WIDTH],
      bias: [NEURONS],
      q: [WIDTH, WIDTH],
      k: [WIDTH, WIDTH],
      v: [WIDTH, WIDTH],
    }).map(([name, shape]) => [name, { shape, data: random.normals(shape.reduce((a, b) => a * b)) }]),
  ),
);
const inputs = { x: { shape: [BATCH, POS, WIDTH] } };
const rows = (x: tf.Tensor) => tf.reshape(x, [BATCH * POS, WIDTH]) as tf.Tensor2D;

/** A gated MLP's neurons, `[batch, pos, neuron]`. */
const neurons: TensorFunction = ({ x }, w) => {
  const gate = tf.matMul(rows(x!), w('gate') as tf.Tensor2D, false, true);
  const up = tf.add(tf.matMul(rows(x!), w('up') as tf.Tensor2D), w('bias'));
  return { y: tf.reshape(tf.mul(tf.sigmoid(gate), up), [BATCH, POS, NEURONS]) };
};

/** Each head's mix of values, `[batch, pos, head, dHead]`. */
const heads: TensorFunction = ({ x }, w) => {
  const project = (name: string) =>
    tf.transpose(
      tf.reshape(tf.matMul(rows(x!), w(name) as tf.Tensor2D), [BATCH, POS, HEADS, WIDTH / HEADS]),
      [0, 2, 1, 3],
    );
  const { z } = softmaxAttention(project('q'), project('k'), project('v'), null, { scale: 0.5 });
  return { y: tf.transpose(z, [0, 2, 1, 3]) };
};

const neuron: TensorFunction = (inputs, w) => ({
  y: tf.slice(neurons(inputs, w).y!, [0, 0, 5], [BATCH, POS, 1]),
});
const head: TensorFunction = (inputs, w) => ({
  y: tf.slice(heads(inputs, w).y!, [0, 0, 2, 0], [BATCH, POS, 1, WIDTH / HEADS]),
});
/** One neuron of some rows, in another order. */
const gathered: TensorFunction = (inputs, w) => {
  const rows = tf.reshape(neurons(inputs, w).y!, [BATCH * POS, NEURONS]);
  return { y: tf.slice(tf.gather(rows, tf.tensor2d([4, 0, 5, 5], [2, 2], 'int32')), [0, 0, 5], [2, 2, 1]) };
};
/** Some dimensions of a head, in another order. */
const turned: TensorFunction = (inputs, w) => {
  const some = tf.gather(heads(inputs, w).y!, tf.tensor2d([3, 0], [2, 1], 'int32'), 3);
  return { y: tf.slice(some, [0, 0, 2, 0, 0], [BATCH, POS, 1, 2, 1]) };
};
const slope: TensorFunction = ({ x }, w) => ({
  y: tf.grad((x: tf.Tensor) => tf.sum(tf.square(neuron({ x }, w).y!)))(x!),
});

/** Shapes of what the graph is fed besides x. */
const widths = (fn: TensorFunction) =>
  buildProgram(narrow(trace(fn, inputs, weights)))
    .feeds.filter(({ kind }) => kind !== 'input')
    .map(({ shape }) => `${shape}`)
    .sort();

describe('narrow', () => {
  it('computes one neuron from one column of the weights', () => {
    expect(widths(neuron)).toEqual(['1', '1,16', '16,1']);
  });

  it('computes one head from its own queries, keys and values', () => {
    expect(widths(head)).toEqual(['16,4', '16,4', '16,4']);
  });

  it('takes what is read on many paths apart once', () => {
    // Two paths at each of 22 steps: 4 million.
    const woven: TensorFunction = (inputs, w) => {
      let y = neurons(inputs, w).y!;
      for (let i = 0; i < 22; i++) y = tf.add(tf.sin(y), tf.cos(y));
      return { y: tf.slice(y, [0, 0, 5], [BATCH, POS, 1]) };
    };
    expect(widths(woven)).toEqual(widths(neuron));
  });

  it('goes through a gather of rows', () => {
    expect(widths(gathered)).toEqual(['1', '1,16', '16,1']);
    expect(widths(turned)).toEqual(['16,4', '16,4', '16,4']);
  });

  it('leaves the whole array where it is needed anyway', () => {
    const both: TensorFunction = (inputs, w) => ({ one: neuron(inputs, w).y!, all: neurons(inputs, w).y! });
    expect(widths(both)).toEqual(['16,24', '24', '24,16']);
  });

  it('takes gradients through the used column alone', () => {
    expect(widths(slope)).toEqual(['1', '1,16', '16,1']);
  });

  it.each([
    ['a neuron', neuron],
    ['a head', head],
    ['a gradient', slope],
    ['a neuron of some rows', gathered],
    ['some dimensions of a head', turned],
  ])('does not change the value: %s', async (_, fn) => {
    const x = random.normals(BATCH * POS * WIDTH);
    const value = async (engine: 'onnx' | 'cpu') =>
      (await (await compile(fn, { inputs, weights, engine })).run({ x })).y as Float32Array;
    const [compiled, eager] = [await value('onnx'), await value('cpu')];
    expect(Math.max(...compiled.map((y, i) => Math.abs(y - eager[i]!)))).toBeLessThan(1e-4);
    expect(Math.max(...eager.map(Math.abs))).toBeGreaterThan(0.1);
  });
});
