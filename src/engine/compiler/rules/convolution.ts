/** @file Convolution and the gradient of what it reads. */
import * as tf from '../../functions/tfjs.js';
import type { Attributes, Graph, Value } from '../graph.js';
import { convInBlocks, isInBlocks } from './channel-blocks.js';
import { filterGradient } from './filter-gradient.js';
import type { Rules } from './kernels.js';
import { type ConvInfo, convAttributes, nchw, nchwShape, nhwc, type Shape4, shape4 } from './layout.js';
import { convAsProduct, isOneProduct, type Windows, windowsOf } from './patches.js';
import { NO_PADDING, padHere, slice } from './shape.js';

/** @param filter - HWIO @returns OIHW */
const outInHeightWidth = (graph: Graph, filter: Value) => graph.transpose(filter, [3, 2, 0, 1]);

/** An array with the axis of channels, the second, filled up with zeros to a multiple of 4. */
function withZeros(graph: Graph, x: Value): Value {
  const missing = (4 - (x.shape[1]! % 4)) % 4;
  return padHere(graph, x, [NO_PADDING, [0, missing], NO_PADDING, NO_PADDING]);
}

/** What a convolution of all channels reads: with channels of zeros where the device would read wrong ones. */
function convInputs(graph: Graph, x: Value, weights: Value): Value[] {
  const [outputs, channels] = shape4(weights);
  const isMisread = channels > 3 && channels % 3 === 0 && channels % 4 !== 0 && outputs % 4 === 0;
  const inputs = [x, weights];
  return isMisread && graph.traits.misreadsThrees ? inputs.map((input) => withZeros(graph, input)) : inputs;
}

/**
 * A convolution of all channels.
 *
 * @param x - [batch, channel, height, width]
 * @param filter - [height, width, channel, out channel]
 * @param fed - what `filter` is made of
 * @returns [batch, out channel, out height, out width]
 */
function wholeConv(
  graph: Graph,
  x: Value,
  filter: Value,
  fed: Value,
  shape: readonly number[],
  attributes: Attributes,
): Value {
  if (isInBlocks(graph, fed)) return convInBlocks(graph, x, filter, shape, attributes);
  return graph.node(
    'Conv',
    convInputs(graph, x, outInHeightWidth(graph, filter)),
    shape,
    x.dtype,
    attributes,
  );
}

function conv(graph: Graph, x: Value, filter: Value, info: ConvInfo): Value {
  const windows = windowsOf(info);
  if (isOneProduct(filter, windows, info)) return convAsProduct(graph, x, filter, windows);
  const shape = nchwShape(info.outShape);
  return nhwc(graph, wholeConv(graph, nchw(graph, x), filter, filter, shape, convAttributes(info)));
}

/** Upsampling a gradient back through a convolution's geometry: what ConvTranspose's output must be padded by. */
export function transposedAttributes(info: ConvInfo, group = 1): Attributes {
  const reach = (out: number, stride: number, kernel: number, before: number, after: number) =>
    (out - 1) * stride + kernel - before - after;
  const { padInfo: p } = info;
  const height = reach(info.outHeight, info.strideHeight, info.effectiveFilterHeight, p.top, p.bottom);
  const width = reach(info.outWidth, info.strideWidth, info.effectiveFilterWidth, p.left, p.right);
  return { ...convAttributes(info, group), output_padding: [info.inHeight - height, info.inWidth - width] };
}

/** Whether a convolution with the filter turned by half a turn is the gradient: it would otherwise have to cut instead of pad. */
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

function rotatedPads({ padInfo: p, effectiveFilterHeight: kh, effectiveFilterWidth: kw }: ConvInfo): Shape4 {
  return [kh - 1 - p.top, kw - 1 - p.left, kh - 1 - p.bottom, kw - 1 - p.right];
}

function rotatedWindows(info: ConvInfo): Windows {
  const [top, left, bottom, right] = rotatedPads(info);
  const out = [info.inHeight, info.inWidth] as const;
  return { ...windowsOf(info), rows: [top, bottom], columns: [left, right], out };
}

const rotatedAttributes = (info: ConvInfo, group = 1): Attributes => ({
  ...convAttributes(info, group),
  pads: rotatedPads(info),
});

/** The filter of the gradient's convolution, where the stride is 1: turned by half a turn (faster than ConvTranspose). */
function rotate(graph: Graph, filter: Value): Value {
  const [height, width, input, output] = shape4(filter);
  return slice(graph, filter, [height - 1, width - 1, 0, 0], [height, width, input, output], [-1, -1, 1, 1]);
}

function convBackpropInput(graph: Graph, dy: Value, filter: Value, info: ConvInfo): Value {
  const gradient = nchw(graph, dy);
  if (isRotatable(info)) {
    const rotated = graph.transpose(rotate(graph, filter), [0, 1, 3, 2]);
    const windows = rotatedWindows(info);
    if (isOneProduct(filter, windows, info)) return convAsProduct(graph, dy, rotated, windows);
    const shape = nchwShape(info.inShape);
    return nhwc(graph, wholeConv(graph, gradient, rotated, filter, shape, rotatedAttributes(info)));
  }
  const weights = outInHeightWidth(graph, filter);
  return nhwc(
    graph,
    graph.node(
      'ConvTranspose',
      [gradient, weights],
      nchwShape(info.inShape),
      dy.dtype,
      transposedAttributes(info),
    ),
  );
}

/** @param filter - [height, width, channel, multiplier] @returns [channel * multiplier, 1, height, width] */
function depthwiseWeights(graph: Graph, filter: Value): Value {
  const [height, width, channel, multiplier] = shape4(filter);
  return graph.reshape(graph.transpose(filter, [2, 3, 0, 1]), [channel * multiplier, 1, height, width]);
}

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
function needNhwc(op: string, dataFormat: string | undefined): void {
  if (dataFormat === 'NCHW') throw new Error(`${op} is traced with dataFormat 'NHWC' only`);
}

export const convolutionRules = {
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
    return filterGradient(graph, x, dy, convInfo(x.shape, a.filterShape, { ...a, dilations: 1 }));
  },
  DepthwiseConv2dNative: (graph, { x, filter }, a) => {
    const info = convInfo(x.shape, filter.shape, a, true);
    const inputs = [nchw(graph, x), depthwiseWeights(graph, filter)];
    return nhwc(
      graph,
      graph.node('Conv', inputs, nchwShape(info.outShape), x.dtype, convAttributes(info, info.inChannels)),
    );
  },
  DepthwiseConv2dNativeBackpropInput: (graph, { dy, filter }, a) => {
    const info = convInfo(a.inputShape, filter.shape, { ...a, dataFormat: 'NHWC' }, true);
    const gradient = nchw(graph, dy);
    const multiplier = filter.shape[3]!;
    if (isRotatable(info) && multiplier === 1) {
      const inputs = [gradient, depthwiseWeights(graph, rotate(graph, filter))];
      const attributes = rotatedAttributes(info, info.inChannels);
      return nhwc(graph, graph.node('Conv', inputs, nchwShape(info.inShape), dy.dtype, attributes));
    }
    const inputs = [gradient, depthwiseWeights(graph, filter)];
    return nhwc(
      graph,
      graph.node(
        'ConvTranspose',
        inputs,
        nchwShape(info.inShape),
        dy.dtype,
        transposedAttributes(info, info.inChannels),
      ),
    );
  },
} satisfies Partial<Rules>;
