/** The GraphModel reader against TensorFlow.js' own operations, on small graphs as the converter writes them. */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forward, node, noise, picture, write } from '../../../test/vision/small-tf-graph.js';
import * as tf from '../../engine/functions/tfjs.js';
import { openVisionNetwork } from '../open.js';
import type { TfNode } from './tf-ops/context.js';

const folder = mkdtempSync(join(tmpdir(), 'superstim-graph-'));
beforeAll(() => tf.setBackend('cpu'));
afterAll(() => rmSync(folder, { recursive: true }));

const kernel = noise([3, 3, 4, 6], 1) as tf.Tensor4D;
const bias = noise([6], 3) as tf.Tensor1D;
const strides = { strides: [1, 2, 2, 1], padding: 'SAME' };
const plain = { strides: [1, 1, 1, 1], padding: 'VALID' };
const window = { ksize: [1, 3, 3, 1], ...strides };

const scope = 'StatefulPartitionedCall/vgg16_1';
const vgg = (): TfNode[] => [
  picture([-1, -1, -1, 4]),
  node('_FusedConv2D', `${scope}/block1_conv1_1/Relu`, ['picture', 'kernel', 'bias'], {
    ...plain,
    fused_ops: ['BiasAdd', 'Relu'],
  }),
  node('MaxPool', `${scope}/block5_pool_1/MaxPool2d`, [`${scope}/block1_conv1_1/Relu`], window),
];

test('scopes are names too, and known networks know what they read', () => {
  const network = openVisionNetwork(write(folder, vgg(), { kernel, bias }));
  expect(network.layer('block1_conv1')).toEqual({
    name: `${scope}/block1_conv1_1/Relu`,
    kind: '_FusedConv2D',
    channels: 6,
    size: [222, 222],
  });
  expect(network.layer('block5_pool_1').kind).toBe('MaxPool');
  expect(network.input.preprocessing).toBeNull();
  const colour = [picture([-1, -1, -1, 3]), ...vgg().slice(1)];
  const { input } = openVisionNetwork(write(folder, colour, { kernel: noise([3, 3, 3, 6], 1), bias }));
  expect([input.preprocessing?.order, input.isGuess]).toEqual(['bgr', true]);
  expect(() => network.layer('block1_conv2')).toThrow(/did you mean "block1_conv1"/);
});

test('a graph has the name of its file, or of its folder where the file has the usual one', () => {
  const path = write(folder, vgg(), { kernel, bias });
  const usual = join(path, 'model.json');
  const own = join(path, 'face.json');
  copyFileSync(usual, own);
  expect(openVisionNetwork(own).name).toBe('face');
  expect(openVisionNetwork(usual).name).toBe(basename(path));
});

test('what is not supported is named, and what comes before it can be seen', () => {
  const nodes = [
    ...vgg(),
    node('NonMaxSuppressionV5', 'boxes', [`${scope}/block5_pool_1/MaxPool2d`]),
    node('Relu', 'after', ['boxes']),
  ];
  const network = openVisionNetwork(write(folder, nodes, { kernel, bias }));
  expect(network.layers).toHaveLength(2);
  expect(() => network.layer('after')).toThrow(
    /the NonMaxSuppressionV5 node "boxes" of \d+: the operation NonMaxSuppressionV5 is not supported/,
  );
  expect(() =>
    openVisionNetwork(write(folder, [picture([1, 8, 8, 4]), node('Relu', 'y', ['lost'])], {})),
  ).toThrow(/nothing that writes "lost": the file is damaged/);
  expect(() =>
    openVisionNetwork(write(folder, [picture([1, 8]), node('Relu', 'y', ['picture'])], {})),
  ).toThrow(/must read one image .* not picture \[1,8\]/);
});

test('a loop, and outputs that are not computed, lose only what lies behind them', () => {
  const nodes = [
    ...vgg(),
    node('Enter', 'enter', ['zero']),
    node('Merge', 'merge', ['enter', 'next']),
    node('AddV2', 'add', ['merge', 'kernel']),
    node('NextIteration', 'next', ['add']),
    node('Relu', 'a', ['b']),
    node('Relu', 'b', ['a']),
    node('TopKV2', 'top', [`${scope}/block5_pool_1/MaxPool2d`, 'zero']),
    node('Cast', 'index', ['top:1']),
    node('Relu', 'last', [`${scope}/block1_conv1_1/Relu`]),
  ];
  const network = openVisionNetwork(write(folder, nodes, { kernel, bias, zero: [0] }));
  expect(network.layers.map(({ kind }) => kind)).toEqual(['_FusedConv2D', 'MaxPool', 'Relu']);
  expect([...network.unreachable.keys()].sort()).toEqual(
    ['a', 'add', 'b', 'enter', 'index', 'merge', 'next', 'top'].sort(),
  );
  expect(() => network.layer('a')).toThrow(/"\w" is computed in a loop of \d+, which is not supported/);
  expect(() => network.layer('index')).toThrow(/the operation TopKV2 is not supported/);
});

test('a batch of one that is taken apart and put together again', () => {
  const nodes = (between: string): TfNode[] => [
    picture([1, 4, 4, 3]),
    node('Unpack', 'one', ['picture'], { axis: 0, num: 1 }),
    node('ExpandDims', 'resized', ['one', 'zero']),
    node('Squeeze', 'apart', ['resized'], { squeeze_dims: [0] }),
    node(between, 'between', ['apart']),
    node('Pack', 'batch', ['between'], { axis: 0 }),
    node('Conv2D', 'conv', ['batch', 'kernel'], { strides: [1, 1, 1, 1], padding: 'SAME' }),
  ];
  const kernel = noise([3, 3, 3, 2], 1) as tf.Tensor4D;
  const constants = { kernel, zero: [0] };
  const x = noise([2, 4, 4, 3], 2) as tf.Tensor4D;
  const network = openVisionNetwork(write(folder, nodes('Relu'), constants));
  const expected = tf.conv2d(tf.relu(x), kernel, 1, 'same');
  expect(tf.max(tf.abs(tf.sub(forward(network, x), expected))).dataSync()[0]).toBeLessThan(1e-5);
  expect(() => openVisionNetwork(write(folder, nodes('Cumsum'), constants))).toThrow(
    'picks pictures of the batch',
  );
});
