/** Attention whose tokens come before the batch, against ONNX Runtime. */
import { expect, test } from 'vitest';
import { expectSame, forward, toNhwc, write } from '../../../test/vision/onnx-peer-values.js';
import { type Example, floats, ints, modelOf, node, noise } from '../../../test/vision/small-onnx.js';
import * as tf from '../../engine/functions/tfjs.js';
import { onnxNetwork } from './onnx.js';

const attention: Example = {
  nodes: [
    node('Reshape', ['x', 'flat'], 'map'),
    node('Transpose', ['map'], 'tokens', { perm: [2, 0, 1] }),
    ...['q', 'k', 'v'].flatMap((name) => [
      node('MatMul', ['tokens', `w${name}`], `${name}1`),
      node('Reshape', [`${name}1`, 'heads'], `${name}2`),
      node('Transpose', [`${name}2`], name, { perm: [1, 0, 2] }),
    ]),
    // Where it gives its weights: products of all heads, as a batch.
    node('Transpose', ['k'], 'kt', { perm: [0, 2, 1] }),
    node('MatMul', ['q', 'kt'], 'scores'),
    node('Softmax', ['scores'], 'shares', { axis: -1 }),
    node('MatMul', ['shares', 'v'], 'mixed'),
    node('Transpose', ['mixed'], 'first', { perm: [1, 0, 2] }),
    node('Reshape', ['first', 'second'], 'given'),
    // Where it does not: a batch of one and its heads.
    node('Reshape', ['v', 'apart'], 'four'),
    node('Transpose', ['four'], 'moved', { perm: [2, 0, 1, 3] }),
    node('Reshape', ['moved', 'rows'], 'flattened'),
    node('Gemm', ['flattened', 'wq'], 'projected'),
    node('Reshape', ['projected', 'second'], 'hidden'),
    node('Add', ['given', 'hidden'], 'sum'),
    node('Add', ['sum', 'tokens'], 'whole'),
    node('Transpose', ['whole'], undefined, { perm: [1, 0, 2] }),
  ],
  weights: [
    ...['wq', 'wk', 'wv'].map((name) => floats(name, [4, 4])),
    ints('flat', [1, 4, 63]),
    ints('heads', [63, 2, 2]),
    ints('second', [63, 1, 4]),
    ints('apart', [1, 2, 63, 2]),
    ints('rows', [63, 4]),
  ],
  rank: 3,
};

test('MultiheadAttention of torch has tokens before the batch, and heads in it', () => expectSame(attention));

test('pictures of one batch stay apart', () => {
  const network = onnxNetwork(write(modelOf(attention)));
  const pictures = [0, 1].map((seed) => toNhwc(noise(4 * 7 * 9, seed), [4, 7, 9]));
  const layer = network.outputs[0]!;
  const apart = pictures.map((picture) => forward(network, picture, layer));
  const together = forward(network, tf.concat(pictures) as tf.Tensor4D, layer);
  expect(tf.max(tf.abs(tf.sub(together, tf.concat(apart)))).dataSync()[0]).toBeLessThan(1e-5);
});
