/** Layers of Keras, each read and compared with tfjs-layers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { apply, compare, type Layer, layers, randomize, save } from '../../../test/vision/keras-peer.js';
import * as tf from '../../engine/functions/tfjs.js';
import { openVisionNetwork } from '../open.js';

const folder = mkdtempSync(join(tmpdir(), 'superstim-keras-layers-'));
beforeAll(() => tf.setBackend('cpu'));
afterAll(() => rmSync(folder, { recursive: true }));

const examples: Record<string, Layer> = {
  'Conv2D, same, strided, ReLU': apply(
    layers.conv2d({ filters: 5, kernelSize: [3, 2], strides: 2, padding: 'same', activation: 'relu' }),
  ),
  'Conv2D, valid, dilated': apply(
    layers.conv2d({ filters: 3, kernelSize: 3, dilationRate: 2, useBias: false }),
  ),
  'Conv2DTranspose, same, strided, ReLU': apply(
    layers.conv2dTranspose({
      filters: 3,
      kernelSize: [3, 2],
      strides: 2,
      padding: 'same',
      activation: 'relu',
    }),
  ),
  'Conv2DTranspose, valid': apply(layers.conv2dTranspose({ filters: 3, kernelSize: 4, strides: 3 })),
  LayerNormalization: apply(layers.layerNormalization({ axis: -1 })),
  DepthwiseConv2D: apply(
    layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: 2, padding: 'same' }),
  ),
  SeparableConv2D: apply(
    layers.separableConv2d({ filters: 6, kernelSize: 3, depthMultiplier: 2, activation: 'tanh' }),
  ),
  BatchNormalization: apply(layers.batchNormalization({ epsilon: 0.01 })),
  'BatchNormalization without scale': apply(layers.batchNormalization({ scale: false })),
  'Activation relu6': apply(layers.activation({ activation: 'relu6' })),
  'Activation hard_sigmoid': apply(layers.activation({ activation: 'hardSigmoid' })),
  'Activation swish': apply(layers.activation({ activation: 'swish' })),
  'Activation elu': apply(layers.activation({ activation: 'elu' })),
  'ReLU with a ceiling': apply(layers.reLU({ maxValue: 0.3 })),
  LeakyReLU: apply(layers.leakyReLU({ alpha: 0.1 })),
  ELU: apply(layers.elu({})),
  PReLU: apply(layers.prelu({ sharedAxes: [1, 2] })),
  Softmax: apply(layers.softmax({ axis: -1 })),
  'MaxPooling2D, same': apply(layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' })),
  'MaxPooling2D, default strides': apply(layers.maxPooling2d({ poolSize: [2, 3] })),
  'AveragePooling2D, same': apply(layers.averagePooling2d({ poolSize: 3, strides: 2, padding: 'same' })),
  'AveragePooling2D, valid': apply(layers.averagePooling2d({ poolSize: 3, strides: 1 })),
  GlobalAveragePooling2D: apply(layers.globalAveragePooling2d({})),
  GlobalMaxPooling2D: apply(layers.globalMaxPooling2d({})),
  ZeroPadding2D: apply(
    layers.zeroPadding2d({
      padding: [
        [1, 2],
        [0, 3],
      ] as never,
    }),
  ),
  Cropping2D: apply(
    layers.cropping2D({
      cropping: [
        [1, 2],
        [0, 3],
      ],
    }),
  ),
  'UpSampling2D, nearest': apply(layers.upSampling2d({ size: [2, 3] })),
  Rescaling: apply(layers.rescaling({ scale: 0.5, offset: -1 })),
  Permute: apply(layers.permute({ dims: [2, 1, 3] })),
  'Flatten, Dense, softmax': (x) =>
    apply(layers.dense({ units: 7, activation: 'softmax' }))(apply(layers.flatten())(x)),
  'Reshape, Dropout': (x) =>
    apply(layers.dropout({ rate: 0.5 }))(apply(layers.reshape({ targetShape: [5, 9, 4] }))(x)),
};

let count = 0;
test.each(Object.keys(examples))('%s', async (name) => {
  const input = tfl.input({ shape: [9, 10, 2] });
  const model = randomize(tfl.model({ inputs: input, outputs: examples[name]!(input) }));
  const network = openVisionNetwork(await save(folder, model, `example${count++}`));
  expect(compare(model, network)).toBeLessThan(2e-6);
});
