/** Kernels of images, compiled, against the eager cpu backend: values and gradients. */
import { describe } from 'vitest';
import { type Case, checkCases, fixed, four, image } from '../../../../test/helpers/kernel-cases.js';
import * as tf from '../../functions/tfjs.js';

/** A convolution of more pixels than those that are one product. */
const large = (
  filter: [number, number, number, number],
  stride: number | [number, number],
  pad: tf.Conv2DAttrs['pad'],
): Case => ({
  shapes: [[2, 11, 9, filter[2]], filter],
  fn: (x, w) => tf.square(tf.conv2d(four(x), four(w), stride, pad as 'same')),
});

const cases: Record<string, Case> = {
  'conv same': image((x, w) => tf.relu(tf.conv2d(four(x), four(w), 1, 'same')), [3, 3, 3, 4]),
  'conv with a bias': image(
    (x, w, b) => tf.relu(tf.add(tf.conv2d(four(x), four(w), 1, 'valid'), b)),
    [3, 2, 3, 4],
    [4],
  ),
  'conv of few pixels': {
    shapes: [
      [3, 4, 4, 3],
      [3, 2, 3, 5],
    ],
    fn: (x, w) => tf.relu(tf.conv2d(four(x), four(w), 1, 'same')),
  },
  'conv to many channels': image((x, w) => tf.conv2d(four(x), four(w), 1, 'same'), [3, 2, 3, 80]),
  'conv of more pixels, same': large([3, 3, 3, 4], 1, 'same'),
  'conv of more pixels, valid': large([2, 3, 3, 4], 1, 'valid'),
  'conv of more pixels, one pixel wide': large([1, 1, 3, 4], 1, 'valid'),
  'conv of more pixels, strided rows, uneven pads': large(
    [3, 2, 3, 4],
    [2, 1],
    [
      [0, 0],
      [4, 2],
      [1, 3],
      [0, 0],
    ],
  ),
  'conv of more pixels, more padding than kernel': large([1, 1, 3, 4], 1, 2),
  'conv of more pixels, strided columns': large(
    [2, 2, 3, 4],
    [1, 2],
    [
      [0, 0],
      [3, 3],
      [3, 3],
      [0, 0],
    ],
  ),
  'conv of more pixels to many channels': large([2, 1, 3, 300], 1, 'same'),
  'conv of whole blocks of channels': large([3, 3, 32, 16], 1, 'same'),
  'conv of whole blocks of channels, uneven pads': large(
    [2, 3, 16, 32],
    [2, 1],
    [
      [0, 0],
      [4, 2],
      [1, 3],
      [0, 0],
    ],
  ),
  'conv strided': image((x, w) => tf.conv2d(four(x), four(w), 2, 'same'), [3, 3, 3, 4]),
  'conv strided, odd left over': image((x, w) => tf.conv2d(four(x), four(w), [3, 2], 'valid'), [2, 2, 3, 2]),
  'conv with explicit pads': image(
    (x, w) =>
      tf.conv2d(four(x), four(w), 2, [
        [0, 0],
        [1, 2],
        [3, 0],
        [0, 0],
      ]),
    [5, 3, 3, 2],
  ),
  'conv with more padding than kernel': image((x, w) => tf.conv2d(four(x), four(w), 1, 2), [1, 1, 3, 4]),
  'nearest with half-pixel centres': {
    ...image((x) => tf.image.resizeNearestNeighbor(four(x), [3, 3], false, true)),
    cpuGradientWrong: true,
  },
  'conv dilated': {
    ...image((x, w) => tf.conv2d(four(x), four(w), 1, 'same', 'NHWC', 2), [3, 3, 3, 2]),
    noGradient: true,
  },
  'two convs in a row': image(
    (x, w, v) => tf.conv2d(four(tf.relu(tf.conv2d(four(x), four(w), 1, 'same'))), four(v), 1, 'same'),
    [3, 3, 3, 4],
    [1, 1, 4, 2],
  ),
  'depthwise conv': image((x) =>
    tf.depthwiseConv2d(four(x), fixed([3, 3, 3, 1], 5) as tf.Tensor4D, 1, 'same'),
  ),
  'depthwise conv strided, multiplied': image((x) =>
    tf.depthwiseConv2d(four(x), fixed([3, 3, 3, 2], 5) as tf.Tensor4D, 2, 'same'),
  ),
  'batch norm': image(
    (x, m, s) =>
      tf.batchNorm(
        x,
        m as tf.Tensor1D,
        tf.add(tf.square(s), 0.5) as tf.Tensor1D,
        s as tf.Tensor1D,
        m as tf.Tensor1D,
        1e-3,
      ),
    [3],
    [3],
  ),
  'max pool': image((x) => tf.maxPool(four(x), 2, 2, 'valid')),
  'max pool overlapping': image((x) => tf.maxPool(four(x), 3, 2, 'same')),
  'max pool rounded up': { ...image((x) => tf.maxPool(four(x), 3, 2, 0, 'ceil')), cpuGradientWrong: true },
  'average pool': image((x) => tf.avgPool(four(x), 2, 2, 'valid')),
  'average pool same': { ...image((x) => tf.avgPool(four(x), 3, 1, 'same')), cpuGradientWrong: true },
  'average pool strided same': { ...image((x) => tf.avgPool(four(x), 3, 2, 'same')), cpuGradientWrong: true },
  'resize bilinear': {
    ...image((x) => tf.image.resizeBilinear(four(x), [9, 11], false, true)),
    cpuGradientWrong: true,
  },
  'resize bilinear, corners aligned': {
    ...image((x) => tf.image.resizeBilinear(four(x), [4, 13], true)),
    cpuGradientWrong: true,
  },
  'resize bilinear, asymmetric': {
    ...image((x) => tf.image.resizeBilinear(four(x), [10, 4])),
    cpuGradientWrong: true,
  },
  'resize nearest': {
    ...image((x) => tf.image.resizeNearestNeighbor(four(x), [14, 12])),
    cpuGradientWrong: true,
  },
  'local response normalization': {
    shapes: [[1, 3, 4, 8]],
    fn: (x) => tf.localResponseNormalization(four(x), 2, 1.5, 0.3, 0.7),
  },
  'global average': image((x, w) => tf.mean(tf.conv2d(four(x), four(w), 1, 'same'), [1, 2]), [3, 3, 3, 4]),
  'concat of convs': image(
    (x, w) => tf.concat([tf.conv2d(four(x), four(w), 1, 'same'), tf.maxPool(four(x), 3, 1, 'same')], 3),
    [1, 1, 3, 4],
  ),
};

describe('every kernel of images compiled = eager', () => checkCases(cases));
