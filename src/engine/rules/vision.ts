/**
 * @file Convolution, pooling and resizing.
 *
 * TensorFlow.js is NHWC, ONNX is NCHW: each rule transposes on the way in and out, and the graph cancels the
 * pairs between neighbouring layers.
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Attributes, Graph, Value } from '../graph.js';
import { sizeOf } from '../tensor-spec.js';
import { add, multiply } from './elementwise.js';
import type { Rules } from './kernels.js';
import { slice } from './shape.js';

type Shape4 = [number, number, number, number];
type ConvInfo = tf.backend_util.Conv2DInfo;

const shape4 = (x: Value) => [...x.shape] as Shape4;
const nchw = (graph: Graph, x: Value) => graph.transpose(x, [0, 3, 1, 2]);
const nhwc = (graph: Graph, x: Value) => graph.transpose(x, [0, 2, 3, 1]);
const channelsFirst = ([batch, height, width, channel]: readonly number[]) => [
  batch!,
  channel!,
  height!,
  width!,
];

function padsOf({ padInfo }: ConvInfo): number[] {
  return [padInfo.top, padInfo.left, padInfo.bottom, padInfo.right];
}

function convAttributes(info: ConvInfo, group = 1): Attributes {
  return {
    kernel_shape: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    pads: padsOf(info),
    group,
  };
}

// -- convolution -----------------------------------------------------------------------------------------------

/** @param filter - HWIO @returns OIHW */
const outInHeightWidth = (graph: Graph, filter: Value) => graph.transpose(filter, [3, 2, 0, 1]);

function conv(graph: Graph, x: Value, filter: Value, info: ConvInfo): Value {
  const weights = outInHeightWidth(graph, filter);
  return nhwc(
    graph,
    graph.node(
      'Conv',
      [nchw(graph, x), weights],
      channelsFirst(info.outShape),
      x.dtype,
      convAttributes(info),
    ),
  );
}

/** Upsampling a gradient back through a convolution's geometry: what ConvTranspose's output must be padded by. */
function transposedAttributes(info: ConvInfo, group = 1): Attributes {
  const reach = (out: number, stride: number, kernel: number, before: number, after: number) =>
    (out - 1) * stride + kernel - before - after;
  const { padInfo: p } = info;
  const height = reach(info.outHeight, info.strideHeight, info.effectiveFilterHeight, p.top, p.bottom);
  const width = reach(info.outWidth, info.strideWidth, info.effectiveFilterWidth, p.left, p.right);
  return { ...convAttributes(info, group), output_padding: [info.inHeight - height, info.inWidth - width] };
}

/** Whether `rotatedConv` can give the gradient: it would otherwise have to cut instead of pad. */
function isRotatable({
  strideHeight,
  strideWidth,
  padInfo: p,
  effectiveFilterHeight: kh,
  effectiveFilterWidth: kw,
}: ConvInfo): boolean {
  const fits = Math.max(p.top, p.bottom) < kh && Math.max(p.left, p.right) < kw;
  return strideHeight === 1 && strideWidth === 1 && fits;
}

/** Stride 1: the gradient is a convolution with the filter rotated by half a turn (faster than ConvTranspose). */
function rotatedConv(graph: Graph, dy: Value, rotated: Value, info: ConvInfo, group = 1): Value {
  const { padInfo: p, effectiveFilterHeight: kh, effectiveFilterWidth: kw } = info;
  const pads = [kh - 1 - p.top, kw - 1 - p.left, kh - 1 - p.bottom, kw - 1 - p.right];
  return graph.node('Conv', [dy, rotated], channelsFirst(info.inShape), dy.dtype, {
    ...convAttributes(info, group),
    pads,
  });
}

function rotate(graph: Graph, filter: Value): Value {
  const [height, width, input, output] = shape4(filter);
  return slice(graph, filter, [height - 1, width - 1, 0, 0], [height, width, input, output], [-1, -1, 1, 1]);
}

function convBackpropInput(graph: Graph, dy: Value, filter: Value, info: ConvInfo): Value {
  const gradient = nchw(graph, dy);
  if (isRotatable(info)) {
    const rotated = graph.transpose(rotate(graph, filter), [2, 3, 0, 1]);
    return nhwc(graph, rotatedConv(graph, gradient, rotated, info));
  }
  const weights = outInHeightWidth(graph, filter);
  return nhwc(
    graph,
    graph.node(
      'ConvTranspose',
      [gradient, weights],
      channelsFirst(info.inShape),
      dy.dtype,
      transposedAttributes(info),
    ),
  );
}

/** One matrix product a filter position: x shifted, transposed, times dy. */
function convBackpropFilter(graph: Graph, x: Value, dy: Value, info: ConvInfo): Value {
  const { padInfo: p, strideHeight: sh, strideWidth: sw } = info;
  const padded = graph.node(
    'Pad',
    [x, graph.ints([0, p.top, p.left, 0, 0, p.bottom, p.right, 0]), graph.splat(0, [], x.dtype)],
    [info.batchSize, info.inHeight + p.top + p.bottom, info.inWidth + p.left + p.right, info.inChannels],
    x.dtype,
    { mode: 'constant' },
  );
  const pixels = info.batchSize * info.outHeight * info.outWidth;
  const right = graph.reshape(dy, [pixels, info.outChannels]);
  const size = [info.batchSize, info.outHeight, info.outWidth, info.inChannels];
  const taps: Value[] = [];
  for (let i = 0; i < info.filterHeight; i++) {
    for (let j = 0; j < info.filterWidth; j++) {
      const shifted = slice(graph, padded, [0, i, j, 0], size, [1, sh, sw, 1]);
      const left = graph.reshape(shifted, [pixels, info.inChannels]);
      const tap = graph.node('Gemm', [left, right], [info.inChannels, info.outChannels], x.dtype, {
        transA: 1,
        transB: 0,
      });
      taps.push(graph.reshape(tap, [1, info.inChannels, info.outChannels]));
    }
  }
  const stacked =
    taps.length === 1
      ? taps[0]!
      : graph.node('Concat', taps, [taps.length, ...taps[0]!.shape.slice(1)], x.dtype, { axis: 0 });
  return graph.reshape(stacked, info.filterShape);
}

/** @param filter - [height, width, channel, multiplier] @returns [channel * multiplier, 1, height, width] */
function depthwiseWeights(graph: Graph, filter: Value): Value {
  const [height, width, channel, multiplier] = shape4(filter);
  return graph.reshape(graph.transpose(filter, [2, 3, 0, 1]), [channel * multiplier, 1, height, width]);
}

// -- pooling ---------------------------------------------------------------------------------------------------

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
  const shape = channelsFirst(info.outShape);
  const outputs = [
    { shape, dtype: x.dtype },
    { shape, dtype: 'int64' as const },
  ];
  return graph.nodes('MaxPool', [nchw(graph, x)], outputs, poolAttributes(info)) as [Value, Value];
}

function maxPoolGrad(graph: Graph, dy: Value, x: Value, info: ConvInfo): Value {
  const [, positions] = maxPool(graph, x, info);
  const gradient = nchw(graph, dy);
  const shape = channelsFirst(info.inShape);
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

function avgPoolGrad(graph: Graph, dy: Value, info: ConvInfo): Value {
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

// -- resizing --------------------------------------------------------------------------------------------------

type ResizeAttributes = { alignCorners: boolean; halfPixelCenters: boolean; size?: [number, number] };

function resize(
  graph: Graph,
  images: Value,
  mode: 'linear' | 'nearest',
  { alignCorners, halfPixelCenters, size }: ResizeAttributes,
): Value {
  const [batch, , , channel] = shape4(images);
  const shape = [batch, channel, ...size!];
  const coordinates = alignCorners ? 'align_corners' : halfPixelCenters ? 'half_pixel' : 'asymmetric';
  const attributes: Attributes = {
    mode,
    coordinate_transformation_mode: coordinates,
    ...(mode === 'nearest' && {
      nearest_mode: alignCorners || halfPixelCenters ? 'round_prefer_ceil' : 'floor',
    }),
  };
  return nhwc(
    graph,
    graph.node(
      'Resize',
      [nchw(graph, images), null, null, graph.ints(shape)],
      shape,
      images.dtype,
      attributes,
    ),
  );
}

/** Row i holds what output pixel i takes from each input pixel. [out, in] */
function resizeMatrix(
  input: number,
  output: number,
  mode: 'linear' | 'nearest',
  { alignCorners, halfPixelCenters }: ResizeAttributes,
) {
  const matrix = new Float32Array(output * input);
  const scale = alignCorners && output > 1 ? (input - 1) / (output - 1) : input / output;
  for (let i = 0; i < output; i++) {
    const exact = halfPixelCenters && !alignCorners ? (i + 0.5) * scale - 0.5 : i * scale;
    if (mode === 'nearest') {
      // TensorFlow rounds down what half-pixel centres point at; it shifts nothing back.
      const nearest = alignCorners
        ? Math.round(exact)
        : Math.floor(halfPixelCenters ? (i + 0.5) * scale : exact);
      matrix[i * input + Math.max(0, Math.min(input - 1, nearest))] = 1;
      continue;
    }
    const position = Math.max(0, Math.min(input - 1, exact));
    const low = Math.floor(position);
    const high = Math.min(low + 1, input - 1);
    matrix[i * input + low]! += 1 - (position - low);
    matrix[i * input + high]! += position - low;
  }
  return matrix;
}

/** Resizing is linear and separable, so its gradient is two products with transposed matrices. */
function resizeGrad(
  graph: Graph,
  images: Value,
  dy: Value,
  mode: 'linear' | 'nearest',
  attributes: ResizeAttributes,
): Value {
  const [batch, inHeight, inWidth, channel] = shape4(images);
  const [, outHeight, outWidth] = shape4(dy);
  const rows = graph.constant(
    resizeMatrix(inHeight, outHeight, mode, attributes),
    [outHeight, inHeight],
    'float32',
  );
  const columns = graph.constant(
    resizeMatrix(inWidth, outWidth, mode, attributes),
    [outWidth, inWidth],
    'float32',
  );
  const wide = graph.node(
    'MatMul',
    [graph.transpose(rows, [1, 0]), nchw(graph, dy)],
    [batch, channel, inHeight, outWidth],
    dy.dtype,
  );
  return nhwc(graph, graph.node('MatMul', [wide, columns], [batch, channel, inHeight, inWidth], dy.dtype));
}

// -- local response normalization -----------------------------------------------------------------------------

type LrnAttributes = { depthRadius: number; bias: number; alpha: number; beta: number };

/** bias + alpha * sum of v over neighbouring channels, NCHW. */
function channelWindow(graph: Graph, v: Value, radius: number): Value {
  const [batch, channel, height, width] = shape4(v);
  const size = 2 * radius + 1;
  const column = graph.reshape(v, [batch, 1, channel, height * width]);
  const mean = graph.node('AveragePool', [column], column.shape, v.dtype, {
    kernel_shape: [size, 1],
    pads: [radius, 0, radius, 0],
    count_include_pad: 1,
  });
  return multiply(graph, graph.reshape(mean, v.shape), graph.splat(size, [], 'float32'));
}

function lrnScale(graph: Graph, x: Value, { depthRadius, bias, alpha }: LrnAttributes): Value {
  const energy = channelWindow(graph, multiply(graph, x, x), depthRadius);
  return add(
    graph,
    multiply(graph, energy, graph.splat(alpha, [], 'float32')),
    graph.splat(bias, [], 'float32'),
  );
}

const power = (graph: Graph, x: Value, exponent: number) =>
  graph.elementwise('Pow', [x, graph.splat(exponent, [], 'float32')]);

// -- the table -------------------------------------------------------------------------------------------------

const convInfo = (
  xShape: readonly number[],
  filterShape: readonly number[],
  a: tf.Conv2DAttrs,
  depthwise = false,
) =>
  tf.backend_util.computeConv2DInfo(
    [...xShape] as Shape4,
    [...filterShape] as Shape4,
    a.strides,
    a.dilations ?? 1,
    a.pad,
    a.dimRoundingMode,
    depthwise,
    tf.backend_util.convertConv2DDataFormat(a.dataFormat ?? 'NHWC'),
  );
const poolInfo = (x: Value, a: tf.MaxPoolAttrs) =>
  tf.backend_util.computePool2DInfo(shape4(x), a.filterSize, a.strides, 1, a.pad, a.dimRoundingMode);
/** The gradient kernels of pools are not told the rounding; the gradient's shape tells it. */
const poolInfoOf = (dy: Value, x: Value, a: tf.MaxPoolAttrs) => {
  const info = poolInfo(x, a);
  const fits = info.outHeight === dy.shape[1] && info.outWidth === dy.shape[2];
  return fits ? info : poolInfo(x, { ...a, dimRoundingMode: 'ceil' });
};

function needNhwc(op: string, dataFormat: string | undefined): void {
  if (dataFormat === 'NCHW') throw new Error(`${op} is traced with dataFormat 'NHWC' only`);
}

export const visionRules = {
  Conv2D: (graph, { x, filter }, a) => {
    needNhwc('Conv2D', a.dataFormat);
    return conv(graph, x, filter, convInfo(x.shape, filter.shape, a));
  },
  Conv2DBackpropInput: (graph, { dy, filter }, a) => {
    needNhwc('Conv2DBackpropInput', a.dataFormat);
    return convBackpropInput(graph, dy, filter, convInfo(a.inputShape, filter.shape, { ...a, dilations: 1 }));
  },
  Conv2DBackpropFilter: (graph, { x, dy }, a) => {
    needNhwc('Conv2DBackpropFilter', a.dataFormat);
    return convBackpropFilter(graph, x, dy, convInfo(x.shape, a.filterShape, { ...a, dilations: 1 }));
  },
  DepthwiseConv2dNative: (graph, { x, filter }, a) => {
    const info = convInfo(x.shape, filter.shape, a, true);
    const inputs = [nchw(graph, x), depthwiseWeights(graph, filter)];
    return nhwc(
      graph,
      graph.node(
        'Conv',
        inputs,
        channelsFirst(info.outShape),
        x.dtype,
        convAttributes(info, info.inChannels),
      ),
    );
  },
  DepthwiseConv2dNativeBackpropInput: (graph, { dy, filter }, a) => {
    const info = convInfo(a.inputShape, filter.shape, { ...a, dataFormat: 'NHWC' }, true);
    const gradient = nchw(graph, dy);
    const multiplier = filter.shape[3]!;
    if (isRotatable(info) && multiplier === 1) {
      return nhwc(
        graph,
        rotatedConv(graph, gradient, depthwiseWeights(graph, rotate(graph, filter)), info, info.inChannels),
      );
    }
    const inputs = [gradient, depthwiseWeights(graph, filter)];
    return nhwc(
      graph,
      graph.node(
        'ConvTranspose',
        inputs,
        channelsFirst(info.inShape),
        dy.dtype,
        transposedAttributes(info, info.inChannels),
      ),
    );
  },
  FusedBatchNorm: (graph, { x, scale, offset, mean, variance }, { varianceEpsilon }) => {
    const steady = add(graph, variance, graph.splat(varianceEpsilon, [], 'float32'));
    const gain = graph.elementwise('Div', [scale, graph.unary('Sqrt', steady)]);
    const shift = graph.elementwise('Sub', [offset, graph.elementwise('Mul', [mean, gain])]);
    return graph.elementwise('Add', [graph.elementwise('Mul', [x, gain]), shift]);
  },
  MaxPool: (graph, { x }, a) => nhwc(graph, maxPool(graph, x, poolInfo(x, a))[0]),
  MaxPoolGrad: (graph, { dy, input }, a) => maxPoolGrad(graph, dy, input, poolInfoOf(dy, input, a)),
  AvgPool: (graph, { x }, a) => {
    const info = poolInfo(x, a);
    const attributes = { ...poolAttributes(info), count_include_pad: 0 };
    return nhwc(
      graph,
      graph.node('AveragePool', [nchw(graph, x)], channelsFirst(info.outShape), x.dtype, attributes),
    );
  },
  AvgPoolGrad: (graph, { dy, input }, a) => avgPoolGrad(graph, dy, poolInfoOf(dy, input, a)),
  ResizeBilinear: (graph, { images }, a) => resize(graph, images, 'linear', a),
  ResizeBilinearGrad: (graph, { images, dy }, a) => resizeGrad(graph, images, dy, 'linear', a),
  ResizeNearestNeighbor: (graph, { images }, a) => resize(graph, images, 'nearest', a),
  ResizeNearestNeighborGrad: (graph, { images, dy }, a) => resizeGrad(graph, images, dy, 'nearest', a),
  LRN: (graph, { x }, a) => {
    const image = nchw(graph, x);
    return nhwc(graph, graph.elementwise('Mul', [image, power(graph, lrnScale(graph, image, a), -a.beta)]));
  },
  LRNGrad: (graph, { x, dy }, a) => {
    // y = x s^-beta with s = bias + alpha sum x^2
    const [image, gradient] = [nchw(graph, x), nchw(graph, dy)];
    const scale = lrnScale(graph, image, a);
    const direct = graph.elementwise('Mul', [gradient, power(graph, scale, -a.beta)]);
    const shared = channelWindow(
      graph,
      graph.elementwise('Mul', [
        graph.elementwise('Mul', [gradient, image]),
        power(graph, scale, -a.beta - 1),
      ]),
      a.depthRadius,
    );
    const indirect = multiply(
      graph,
      graph.elementwise('Mul', [image, shared]),
      graph.splat(2 * a.alpha * a.beta, [], 'float32'),
    );
    return nhwc(graph, graph.elementwise('Sub', [direct, indirect]));
  },
} satisfies Partial<Rules>;
