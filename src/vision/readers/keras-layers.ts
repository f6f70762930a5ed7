/** @file The layers of Keras that image networks are made of, each as operations of the graph. */
import { UserError } from '../../errors.js';
import type { GraphBuilder } from '../graph/graph.js';
import type { ActivationName, BinaryOp, Op } from '../graph/op.js';
import { type Param, reshaped } from '../graph/params.js';
import { type Padding, validPadding, type Window } from '../graph/windows.js';
import { bordersIn, type Config, numberIn, pairIn } from './keras-config.js';

/** What a layer is translated with. */
export interface LayerContext {
  readonly graph: GraphBuilder;
  readonly layer: string;
  /** Major version of the Keras that wrote the model. */
  readonly kerasVersion: number;
  /** The layer's weight `kernel`, `bias`, `gamma`… Throws UserError when the model has none. */
  weight(name: string): Param;
  hasWeight(name: string): boolean;
}

/** Adds the layer's operations after `inputs` and returns the node of its output. */
export type KerasRule = (config: Config, inputs: readonly number[], context: LayerContext) => number;

// -- activations -------------------------------------------------------------------------------------------------

type Activation = Omit<Extract<Op, { kind: 'activation' }>, 'kind'>;

const plainActivations: Record<string, Activation> = {
  relu: { name: 'relu' },
  relu6: { name: 'clip', a: 0, b: 6 },
  sigmoid: { name: 'sigmoid' },
  tanh: { name: 'tanh' },
  elu: { name: 'elu' },
  selu: { name: 'selu' },
  swish: { name: 'silu' },
  silu: { name: 'silu' },
  mish: { name: 'mish' },
  softplus: { name: 'softplus' },
  gelu: { name: 'gelu' },
  exponential: { name: 'exp' },
  leaky_relu: { name: 'leaky-relu', a: 0.2 },
  hard_swish: { name: 'hard-swish' },
  hard_silu: { name: 'hard-swish' },
};

/** `activation` of a layer: a name, or an object that holds one. */
function activate(activation: unknown, x: number, { graph, kerasVersion }: LayerContext): number {
  const held = activation as { config?: unknown; class_name?: string } | null | undefined;
  const name =
    typeof held === 'object' && held !== null
      ? typeof held.config === 'string'
        ? held.config
        : held.class_name
      : activation;
  if (name === undefined || name === null || name === 'linear') return x;
  if (name === 'softmax') return graph.add({ kind: 'softmax' }, x);
  if (name === 'hard_sigmoid') {
    const slope = kerasVersion >= 3 ? 1 / 6 : 0.2;
    return graph.add({ kind: 'activation', name: 'hard-sigmoid', a: slope, b: 0.5 }, x);
  }
  const known = plainActivations[String(name)];
  if (!known) throw new UserError(`the activation "${String(name)}" is not supported`);
  return graph.add({ kind: 'activation', ...known }, x);
}

const activation =
  (name: ActivationName, read: (config: Config) => Pick<Activation, 'a' | 'b'> = () => ({})): KerasRule =>
  (config, [x], { graph }) =>
    graph.add({ kind: 'activation', name, ...read(config) }, x!);

const relu: KerasRule = (config, [x], { graph }) => {
  if (numberIn(config, 'threshold', 0) !== 0) throw new UserError('a ReLU with a threshold is not supported');
  const slope = numberIn(config, 'negative_slope', 0);
  const largest = numberIn(config, 'max_value', Number.POSITIVE_INFINITY);
  if (slope === 0) return graph.add({ kind: 'activation', name: 'clip', a: 0, b: largest }, x!);
  const leaky = graph.add({ kind: 'activation', name: 'leaky-relu', a: slope }, x!);
  return largest === Number.POSITIVE_INFINITY
    ? leaky
    : graph.add({ kind: 'activation', name: 'clip', a: Number.NEGATIVE_INFINITY, b: largest }, leaky);
};

// -- windows -----------------------------------------------------------------------------------------------------

function channelsLast(config: Config): void {
  if (config.data_format === 'channels_first') {
    throw new UserError('channels come first (data_format channels_first): only channels_last is supported');
  }
}

function paddingOf(config: Config): Padding {
  return config.padding === 'same' ? 'same' : validPadding;
}

function convWindow(config: Config, size: readonly [number, number]): Window {
  channelsLast(config);
  return {
    size,
    strides: pairIn(config, 'strides', [1, 1]),
    dilations: pairIn(config, 'dilation_rate', [1, 1]),
    padding: paddingOf(config),
  };
}

/** [height, width, in, multiplier] as [height, width, 1, in * multiplier]. */
export function depthwiseKernel(kernel: Param): Param {
  const [height, width, inputs, multiplier] = kernel.shape as [number, number, number, number];
  return reshaped(kernel, [height, width, 1, inputs * multiplier]);
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

const dense: KerasRule = (config, [x], context) => {
  const y = context.graph.add({ kind: 'dense', kernel: context.weight('kernel'), ...biasOf(context) }, x!);
  return activate(config.activation, y, context);
};

const pool =
  (kind: 'max pool' | 'average pool'): KerasRule =>
  (config, [x], { graph }) => {
    channelsLast(config);
    const size = pairIn(config, 'pool_size', [2, 2]);
    const strides = pairIn(config, config.strides == null ? 'pool_size' : 'strides', [2, 2]);
    const window: Window = { size, strides, dilations: [1, 1], padding: paddingOf(config) };
    return graph.add({ kind, window, countPadding: false }, x!);
  };

const globalPool =
  (name: 'mean' | 'max'): KerasRule =>
  (config, [x], { graph }) => {
    channelsLast(config);
    return graph.add({ kind: 'reduce', name, axes: [1, 2], keepDims: config.keepdims === true }, x!);
  };

// -- normalization -----------------------------------------------------------------------------------------------

/** The last axis, however Keras says it. */
function requireLastAxis(config: Config, x: number, { graph }: LayerContext): void {
  const axis = Array.isArray(config.axis) ? (config.axis[0] as number) : numberIn(config, 'axis', -1);
  const rank = graph.shape(x).length;
  if (axis !== -1 && axis !== rank - 1)
    throw new UserError(`works along axis ${axis}: only the last one is supported`);
}

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

/** A number for all channels, or one each. */
function numbers(value: unknown): number[] {
  return (Array.isArray(value) ? value.flat(4) : [value]) as number[];
}

function constant(graph: GraphBuilder, data: readonly number[]): number {
  return graph.add({ kind: 'constant', value: { shape: [data.length], data } });
}

const rescaling: KerasRule = (config, [x], { graph }) => {
  const scaled = graph.add({ kind: 'multiply' }, x!, constant(graph, numbers(config.scale ?? 1)));
  return graph.add({ kind: 'add' }, scaled, constant(graph, numbers(config.offset ?? 0)));
};

const normalization: KerasRule = (config, [x], context) => {
  const { graph } = context;
  if (context.hasWeight('mean')) {
    const channels = graph.shape(x!).at(-1)!;
    const flat = (name: string): Param => reshaped(context.weight(name), [channels]);
    return graph.add({ kind: 'affine', mean: flat('mean'), variance: flat('variance'), epsilon: 1e-14 }, x!);
  }
  const spread = numbers(config.variance ?? 1).map((v) => 1 / Math.max(Math.sqrt(v), 1e-7));
  const centred = graph.add({ kind: 'subtract' }, x!, constant(graph, numbers(config.mean ?? 0)));
  return graph.add({ kind: 'multiply' }, centred, constant(graph, spread));
};

// -- joining and moving --------------------------------------------------------------------------------------------

const merge =
  (kind: BinaryOp['kind']): KerasRule =>
  (_config, inputs, { graph }) =>
    inputs.reduce((a, b) => graph.add({ kind }, a, b));

const average: KerasRule = (_config, inputs, { graph }) => {
  const sum = inputs.reduce((a, b) => graph.add({ kind: 'add' }, a, b));
  return graph.add({ kind: 'activation', name: 'linear', a: 1 / inputs.length }, sum);
};

const concatenate: KerasRule = (config, inputs, { graph }) => {
  const axis = numberIn(config, 'axis', -1);
  const rank = graph.shape(inputs[0]!).length;
  return graph.add({ kind: 'concat', axis: axis < 0 ? axis + rank : axis }, ...inputs);
};

const zeroPadding: KerasRule = (config, [x], { graph }) => {
  channelsLast(config);
  const pads: [number, number][] = [[0, 0], ...bordersIn(config, 'padding'), [0, 0]];
  return graph.add({ kind: 'pad', pads, mode: 'constant', value: 0 }, x!);
};

const cropping: KerasRule = (config, [x], { graph }) => {
  channelsLast(config);
  const [rows, columns] = bordersIn(config, 'cropping');
  const negative = ([a, b]: [number, number]): [number, number] => [-a, -b];
  const pads: [number, number][] = [[0, 0], negative(rows), negative(columns), [0, 0]];
  return graph.add({ kind: 'pad', pads, mode: 'constant', value: 0 }, x!);
};

const interpolations = { nearest: 'nearest', bilinear: 'linear', bicubic: 'cubic' } as const;

function interpolationOf(config: Config): 'nearest' | 'linear' | 'cubic' {
  const name = String(config.interpolation ?? 'nearest');
  if (!(name in interpolations)) throw new UserError(`the interpolation "${name}" is not supported`);
  return interpolations[name as keyof typeof interpolations];
}

const upSampling: KerasRule = (config, [x], { graph }) => {
  channelsLast(config);
  const options = {
    interpolation: interpolationOf(config),
    rounding: 'round_prefer_ceil',
    cubic: -0.5,
  } as const;
  return graph.add({ kind: 'resize', scales: pairIn(config, 'size', [2, 2]), options }, x!);
};

const resizing: KerasRule = (config, [x], { graph }) => {
  const interpolation = config.interpolation === undefined ? 'linear' : interpolationOf(config);
  const size = [numberIn(config, 'height', 0), numberIn(config, 'width', 0)] as const;
  const options = { interpolation, rounding: 'round_prefer_ceil', cubic: -0.5 } as const;
  return graph.add({ kind: 'resize', size, options }, x!);
};

const flatten: KerasRule = (_config, [x], { graph }) => graph.add({ kind: 'flatten', order: 'hwc' }, x!);

const reshape: KerasRule = (config, [x], { graph }) =>
  graph.add({ kind: 'reshape', shape: config.target_shape as number[] }, x!);

const permute: KerasRule = (config, [x], { graph }) =>
  graph.add({ kind: 'transpose', perm: [0, ...(config.dims as number[])] }, x!);

const softmax: KerasRule = (config, [x], context) => {
  requireLastAxis(config, x!, context);
  return context.graph.add({ kind: 'softmax' }, x!);
};

const prelu: KerasRule = (_config, [x], context) =>
  context.graph.add({ kind: 'prelu', slope: context.weight('alpha') }, x!);

/** What does nothing when a network is only looked at. */
const identity: KerasRule = (_config, [x]) => x!;

export const kerasLayers: Readonly<Record<string, KerasRule>> = {
  Conv2D: conv,
  Convolution2D: conv,
  DepthwiseConv2D: depthwiseConv,
  SeparableConv2D: separableConv,
  SeparableConvolution2D: separableConv,
  Dense: dense,
  BatchNormalization: batchNorm,
  Rescaling: rescaling,
  Normalization: normalization,
  Activation: (config, [x], context) => activate(config.activation, x!, context),
  ReLU: relu,
  LeakyReLU: activation('leaky-relu', (config) => ({
    a: numberIn(config, 'negative_slope', numberIn(config, 'alpha', 0.3)),
  })),
  ELU: activation('elu', (config) => ({ a: numberIn(config, 'alpha', 1) })),
  PReLU: prelu,
  Softmax: softmax,
  MaxPooling2D: pool('max pool'),
  MaxPool2D: pool('max pool'),
  AveragePooling2D: pool('average pool'),
  AvgPool2D: pool('average pool'),
  GlobalAveragePooling2D: globalPool('mean'),
  GlobalMaxPooling2D: globalPool('max'),
  ZeroPadding2D: zeroPadding,
  Cropping2D: cropping,
  UpSampling2D: upSampling,
  Resizing: resizing,
  Add: merge('add'),
  Subtract: merge('subtract'),
  Multiply: merge('multiply'),
  Maximum: merge('maximum'),
  Minimum: merge('minimum'),
  Average: average,
  Concatenate: concatenate,
  Flatten: flatten,
  Reshape: reshape,
  Permute: permute,
  Dropout: identity,
  SpatialDropout2D: identity,
  AlphaDropout: identity,
  GaussianNoise: identity,
  GaussianDropout: identity,
  ActivityRegularization: identity,
  RandomFlip: identity,
  RandomRotation: identity,
  RandomZoom: identity,
  RandomContrast: identity,
  RandomTranslation: identity,
};
