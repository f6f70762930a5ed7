/** @file Pooling and its gradients. */
import * as tf from '../../functions/tfjs.js';
import { sizeOf } from '../../tensor-spec.js';
import type { Attributes, Graph, Value } from '../graph.js';
import { transposedAttributes } from './convolution.js';
import { multiply } from './elementwise.js';
import type { Rules } from './kernels.js';
import { type ConvInfo, nchw, nchwShape, nhwc, type Shape4, shape4 } from './layout.js';

function poolAttributes(info: ConvInfo): Attributes {
  return {
    kernel_shape: [info.effectiveFilterHeight, info.effectiveFilterWidth],
    strides: [info.strideHeight, info.strideWidth],
    pads: padsFor(info),
  };
}

/** Pads that give exactly the output size, also where it was rounded up (ONNX would otherwise round down). */
function padsFor(info: ConvInfo): number[] {
  const { top, left } = info.padInfo;
  const after = (out: number, stride: number, kernel: number, input: number, before: number) =>
    Math.max(0, (out - 1) * stride + kernel - input - before);
  return [
    top,
    left,
    after(info.outHeight, info.strideHeight, info.effectiveFilterHeight, info.inHeight, top),
    after(info.outWidth, info.strideWidth, info.effectiveFilterWidth, info.inWidth, left),
  ];
}

/** @returns pooled values and the flat positions they came from, both NCHW */
function maxPool(graph: Graph, x: Value, info: ConvInfo): [Value, Value] {
  const shape = nchwShape(info.outShape);
  const outputs = [
    { shape, dtype: x.dtype },
    { shape, dtype: 'int64' as const },
  ];
  return graph.nodes('MaxPool', [nchw(graph, x)], outputs, poolAttributes(info)) as [Value, Value];
}

function maxPoolGrad(graph: Graph, dy: Value, x: Value, info: ConvInfo): Value {
  const [, positions] = maxPool(graph, x, info);
  const gradient = nchw(graph, dy);
  const shape = nchwShape(info.inShape);
  if (info.strideHeight >= info.filterHeight && info.strideWidth >= info.filterWidth) {
    const { kernel_shape, strides } = poolAttributes(info);
    const unpooled = graph.node('MaxUnpool', [gradient, positions, graph.ints(shape)], shape, dy.dtype, {
      kernel_shape: kernel_shape!,
      strides: strides!,
    });
    return nhwc(graph, unpooled);
  }
  // Windows overlap: one pixel may win several times.
  const [size, count] = [sizeOf(shape), sizeOf(gradient.shape)];
  const zeros = graph.broadcast(graph.splat(0, [], dy.dtype), [size]);
  const flat = [zeros, graph.reshape(positions, [count]), graph.reshape(gradient, [count])];
  const summed = graph.node('ScatterElements', flat, [size], dy.dtype, { axis: 0, reduction: 'add' });
  return nhwc(graph, graph.reshape(summed, shape));
}

/** How many real pixels each window sees: an average never counts padding. [outHeight, outWidth] */
function windowCounts(info: ConvInfo): Float32Array {
  const along = (out: number, stride: number, kernel: number, before: number, input: number) =>
    Array.from({ length: out }, (_, i) => {
      const start = i * stride - before;
      return Math.min(start + kernel, input) - Math.max(start, 0);
    });
  const rows = along(
    info.outHeight,
    info.strideHeight,
    info.effectiveFilterHeight,
    info.padInfo.top,
    info.inHeight,
  );
  const columns = along(
    info.outWidth,
    info.strideWidth,
    info.effectiveFilterWidth,
    info.padInfo.left,
    info.inWidth,
  );
  return Float32Array.from(rows.flatMap((row) => columns.map((column) => row * column)));
}

/** The gradient where windows are one step apart: what each pixel gets of the windows around it is a pool again. */
function denseAvgPoolGrad(graph: Graph, dy: Value, info: ConvInfo): Value {
  const [height, width] = [info.effectiveFilterHeight, info.effectiveFilterWidth];
  const counts = windowCounts(info).map((count) => (height * width) / count);
  const share = graph.constant(counts, [1, 1, info.outHeight, info.outWidth], 'float32');
  const [top, left, bottom, right] = padsFor(info) as Shape4;
  return nhwc(
    graph,
    graph.node('AveragePool', [multiply(graph, nchw(graph, dy), share)], nchwShape(info.inShape), dy.dtype, {
      kernel_shape: [height, width],
      strides: [1, 1],
      pads: [height - 1 - top, width - 1 - left, height - 1 - bottom, width - 1 - right],
      count_include_pad: 1,
    }),
  );
}

function avgPoolGrad(graph: Graph, dy: Value, info: ConvInfo): Value {
  if (info.strideHeight === 1 && info.strideWidth === 1) return denseAvgPoolGrad(graph, dy, info);
  const counts = windowCounts(info).map((count) => 1 / count);
  const share = graph.constant(counts, [1, 1, info.outHeight, info.outWidth], 'float32');
  const [batch, channel] = [info.batchSize, info.inChannels];
  const spread = graph.reshape(multiply(graph, nchw(graph, dy), share), [
    batch * channel,
    1,
    info.outHeight,
    info.outWidth,
  ]);
  const ones = graph.splat(1, [1, 1, info.effectiveFilterHeight, info.effectiveFilterWidth], 'float32');
  const geometry = { ...info, padInfo: pooledPadInfo(info), dilationHeight: 1, dilationWidth: 1 };
  const image = graph.node(
    'ConvTranspose',
    [spread, ones],
    [batch * channel, 1, info.inHeight, info.inWidth],
    dy.dtype,
    transposedAttributes(geometry),
  );
  return nhwc(graph, graph.reshape(image, [batch, channel, info.inHeight, info.inWidth]));
}

function pooledPadInfo(info: ConvInfo): ConvInfo['padInfo'] {
  const [top, left, bottom, right] = padsFor(info) as Shape4;
  return { ...info.padInfo, top, left, bottom, right };
}

const poolInfo = (x: Value, a: tf.MaxPoolAttrs) =>
  tf.backend_util.computePool2DInfo(shape4(x), a.filterSize, a.strides, 1, a.pad, a.dimRoundingMode);
/** The gradient kernels of pools have no rounding mode as an attribute; it follows from the gradient's shape. */
const poolInfoOf = (dy: Value, x: Value, a: tf.MaxPoolAttrs) => {
  const info = poolInfo(x, a);
  const fits = info.outHeight === dy.shape[1] && info.outWidth === dy.shape[2];
  return fits ? info : poolInfo(x, { ...a, dimRoundingMode: 'ceil' });
};

export const poolingRules = {
  MaxPool: (graph, { x }, a) => nhwc(graph, maxPool(graph, x, poolInfo(x, a))[0]),
  MaxPoolGrad: (graph, { dy, input }, a) => maxPoolGrad(graph, dy, input, poolInfoOf(dy, input, a)),
  AvgPool: (graph, { x }, a) => {
    const info = poolInfo(x, a);
    const attributes = { ...poolAttributes(info), count_include_pad: 0 };
    return nhwc(
      graph,
      graph.node('AveragePool', [nchw(graph, x)], nchwShape(info.outShape), x.dtype, attributes),
    );
  },
  AvgPoolGrad: (graph, { dy, input }, a) => avgPoolGrad(graph, dy, poolInfoOf(dy, input, a)),
} satisfies Partial<Rules>;
