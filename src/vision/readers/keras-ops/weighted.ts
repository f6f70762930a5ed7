/** @file Keras layers with weights. */
import { UserError } from '../../../core/errors.js';
import type { GraphBuilder } from '../../layers/graph.js';
import type { TransposedConvOp } from '../../layers/op.js';
import { depthwiseKernel, type Param, reshapedParam, transposed, turned } from '../../layers/params.js';
import { validPadding, type Window } from '../../layers/windows.js';
import { type Config, numberIn, numbersIn, pairIn } from '../keras-config.js';
import {
  activate,
  type KerasRule,
  type LayerContext,
  paddingOf,
  requireChannelsLast,
  requireLastAxis,
} from './context.js';

function convWindow(config: Config, size: readonly [number, number]): Window {
  requireChannelsLast(config);
  return {
    size,
    strides: pairIn(config, 'strides', [1, 1]),
    dilations: pairIn(config, 'dilation_rate', [1, 1]),
    padding: paddingOf(config),
  };
}

const biasOf = (context: LayerContext): { bias?: Param } =>
  context.hasWeight('bias') ? { bias: context.weight('bias') } : {};

const conv: KerasRule = (config, [x], context) => {
  const kernel = context.weight('kernel');
  const [height, width] = kernel.shape as readonly [number, number, number, number];
  const window = convWindow(config, [height, width]);
  const y = context.graph.add(
    { kind: 'conv', kernel, ...biasOf(context), window, groups: numberIn(config, 'groups', 1) },
    x!,
  );
  return activate(config.activation, y, context);
};

/** The depthwise convolution of `kernel`, one filter (or a few) to a channel. */
function depthwise(config: Config, x: number, context: LayerContext, bias: { bias?: Param }): number {
  // Keras 3 calls it `kernel` in a DepthwiseConv2D.
  const weight = context.weight(context.hasWeight('depthwise_kernel') ? 'depthwise_kernel' : 'kernel');
  const kernel = depthwiseKernel(weight);
  const [height, width] = kernel.shape as readonly [number, number, number, number];
  return context.graph.add(
    { kind: 'conv', kernel, ...bias, window: convWindow(config, [height, width]), groups: weight.shape[2]! },
    x,
  );
}

const depthwiseConv: KerasRule = (config, [x], context) =>
  activate(config.activation, depthwise(config, x!, context, biasOf(context)), context);

const separableConv: KerasRule = (config, [x], context) => {
  const spatial = depthwise(config, x!, context, {});
  const y = context.graph.add(
    {
      kind: 'conv',
      kernel: context.weight('pointwise_kernel'),
      ...biasOf(context),
      window: { size: [1, 1], strides: [1, 1], dilations: [1, 1], padding: validPadding },
      groups: 1,
    },
    spatial,
  );
  return activate(config.activation, y, context);
};

const transposedConv: KerasRule = (config, [x], context) => {
  requireChannelsLast(config);
  // [height, width, out, in]
  const weight = context.weight('kernel');
  const kernel = turned(transposed(weight, [0, 1, 3, 2]), [0, 1]);
  const [height, width] = kernel.shape as readonly [number, number];
  const strides = pairIn(config, 'strides', [1, 1]);
  const dilations = pairIn(config, 'dilation_rate', [1, 1]);
  if (config.output_padding != null) throw new UserError('has an output padding, which is not supported');
  const isSame = paddingOf(config) === 'same';
  // Where strides are longer than the kernel, the result ends in zeros.
  const rest = ([0, 1] as const).map((axis) =>
    Math.max(0, strides[axis] - ([height, width][axis]! - 1) * dilations[axis] - 1),
  ) as [number, number];
  const op: TransposedConvOp = {
    kind: 'transposed conv',
    kernel,
    ...biasOf(context),
    strides,
    dilations,
    groups: 1,
    pads: isSame ? 'same' : [0, 0, 0, 0],
    outputPads: isSame ? [0, 0] : rest,
  };
  return activate(config.activation, context.graph.add(op, x!), context);
};

/** With a scale and a shift a channel, where the layer has them. */
function scaled(x: number, context: LayerContext): number {
  const [scale, shift] = ['gamma', 'beta'].map((name) =>
    context.hasWeight(name) ? context.weight(name) : null,
  );
  if (!scale && !shift) return x;
  return context.graph.add({ kind: 'affine', ...(scale && { scale }), ...(shift && { shift }) }, x);
}

const groupNorm: KerasRule = (config, [x], context) => {
  requireLastAxis(config, x!, context);
  const channels = context.graph.shape(x!).at(-1)!;
  const given = numberIn(config, 'groups', 32);
  const epsilon = numberIn(config, 'epsilon', 1e-3);
  const groups = given === -1 ? channels : given;
  return scaled(context.graph.add({ kind: 'group norm', groups, epsilon }, x!), context);
};

/** Over the channels of each position. */
const layerNorm: KerasRule = (config, [x], context) => {
  requireLastAxis(config, x!, context);
  const { graph } = context;
  const axes = [graph.shape(x!).length - 1];
  const mean = (of: number): number => graph.add({ kind: 'reduce', name: 'mean', axes, keepDims: true }, of);
  const centred = graph.add({ kind: 'subtract' }, x!, mean(x!));
  const variance = mean(graph.add({ kind: 'multiply' }, centred, centred));
  const epsilon = numberIn(config, 'epsilon', 1e-3);
  const shifted = graph.add({ kind: 'activation', name: 'linear', b: epsilon }, variance);
  const factor = graph.add({ kind: 'activation', name: 'rsqrt' }, shifted);
  return scaled(graph.add({ kind: 'multiply' }, centred, factor), context);
};

const dense: KerasRule = (config, [x], context) => {
  const y = context.graph.add({ kind: 'dense', kernel: context.weight('kernel'), ...biasOf(context) }, x!);
  return activate(config.activation, y, context);
};

const batchNorm: KerasRule = (config, [x], context) => {
  requireLastAxis(config, x!, context);
  return context.graph.add(
    {
      kind: 'affine',
      mean: context.weight('moving_mean'),
      variance: context.weight('moving_variance'),
      epsilon: numberIn(config, 'epsilon', 1e-3),
      ...(context.hasWeight('gamma') ? { scale: context.weight('gamma') } : {}),
      ...(context.hasWeight('beta') ? { shift: context.weight('beta') } : {}),
    },
    x!,
  );
};

function constant(graph: GraphBuilder, data: readonly number[]): number {
  return graph.add({ kind: 'constant', value: { shape: [data.length], data } });
}

const rescaling: KerasRule = (config, [x], { graph }) => {
  const scaled = graph.add({ kind: 'multiply' }, x!, constant(graph, numbersIn(config, 'scale', [1])));
  return graph.add({ kind: 'add' }, scaled, constant(graph, numbersIn(config, 'offset', [0])));
};

const normalization: KerasRule = (config, [x], context) => {
  const { graph } = context;
  if (context.hasWeight('mean')) {
    const channels = graph.shape(x!).at(-1)!;
    const flat = (name: string): Param => reshapedParam(context.weight(name), [channels]);
    return graph.add({ kind: 'affine', mean: flat('mean'), variance: flat('variance'), epsilon: 1e-14 }, x!);
  }
  const spread = numbersIn(config, 'variance', [1]).map((v) => 1 / Math.max(Math.sqrt(v), 1e-7));
  const centred = graph.add({ kind: 'subtract' }, x!, constant(graph, numbersIn(config, 'mean', [0])));
  return graph.add({ kind: 'multiply' }, centred, constant(graph, spread));
};

const prelu: KerasRule = (_config, [x], context) =>
  context.graph.add({ kind: 'prelu', slope: context.weight('alpha') }, x!);

export const weighted: Readonly<Record<string, KerasRule>> = {
  Conv2D: conv,
  Convolution2D: conv,
  DepthwiseConv2D: depthwiseConv,
  SeparableConv2D: separableConv,
  SeparableConvolution2D: separableConv,
  Conv2DTranspose: transposedConv,
  Convolution2DTranspose: transposedConv,
  GroupNormalization: groupNorm,
  LayerNormalization: layerNorm,
  Dense: dense,
  BatchNormalization: batchNorm,
  Rescaling: rescaling,
  Normalization: normalization,
  PReLU: prelu,
};
