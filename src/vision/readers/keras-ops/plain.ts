/** @file Keras layers without weights. */
import { UserError } from '../../../core/errors.js';
import { own } from '../../../core/own.js';
import { clipped } from '../../../core/visible.js';
import type { ActivationName, BinaryOp } from '../../layers/op.js';
import type { Window } from '../../layers/windows.js';

import { bordersIn, type Config, numberIn, numbersIn, pairIn } from '../keras-config.js';
import {
  type ActivationFields,
  activate,
  type KerasRule,
  paddingOf,
  requireChannelsLast,
  requireLastAxis,
} from './context.js';

const activation =
  (
    name: ActivationName,
    read: (config: Config) => Pick<ActivationFields, 'a' | 'b'> = () => ({}),
  ): KerasRule =>
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

const pool =
  (kind: 'max pool' | 'average pool'): KerasRule =>
  (config, [x], { graph }) => {
    requireChannelsLast(config);
    const size = pairIn(config, 'pool_size', [2, 2]);
    const strides = pairIn(config, config.strides == null ? 'pool_size' : 'strides', [2, 2]);
    const window: Window = { size, strides, dilations: [1, 1], padding: paddingOf(config) };
    return graph.add({ kind, window, countPadding: false }, x!);
  };

const globalPool =
  (name: 'mean' | 'max'): KerasRule =>
  (config, [x], { graph }) => {
    requireChannelsLast(config);
    return graph.add({ kind: 'reduce', name, axes: [1, 2], keepDims: config.keepdims === true }, x!);
  };

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
  requireChannelsLast(config);
  const pads: [number, number][] = [[0, 0], ...bordersIn(config, 'padding'), [0, 0]];
  return graph.add({ kind: 'pad', pads, mode: 'constant', value: 0 }, x!);
};

const cropping: KerasRule = (config, [x], { graph }) => {
  requireChannelsLast(config);
  const [rows, columns] = bordersIn(config, 'cropping');
  const negative = ([a, b]: [number, number]): [number, number] => [-a, -b];
  const pads: [number, number][] = [[0, 0], negative(rows), negative(columns), [0, 0]];
  return graph.add({ kind: 'pad', pads, mode: 'constant', value: 0 }, x!);
};

const interpolations = { nearest: 'nearest', bilinear: 'linear', bicubic: 'cubic' } as const;

function interpolationOf(config: Config): 'nearest' | 'linear' | 'cubic' {
  const name = String(config.interpolation ?? 'nearest');
  const found = own<'nearest' | 'linear' | 'cubic'>(interpolations, name);
  if (!found) throw new UserError(`the interpolation "${clipped(name)}" is not supported`);
  return found;
}

const upSampling: KerasRule = (config, [x], { graph }) => {
  requireChannelsLast(config);
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
  graph.add({ kind: 'reshape', shape: numbersIn(config, 'target_shape') }, x!);

const permute: KerasRule = (config, [x], { graph }) =>
  graph.add({ kind: 'transpose', perm: [0, ...numbersIn(config, 'dims')] }, x!);

const softmax: KerasRule = (config, [x], context) => {
  requireLastAxis(config, x!, context);
  return context.graph.add({ kind: 'softmax' }, x!);
};

/** What does nothing when a network is only looked at. */
const identity: KerasRule = (_config, [x]) => x!;

export const plainLayers: Readonly<Record<string, KerasRule>> = {
  Activation: (config, [x], context) => activate(config.activation, x!, context),
  ReLU: relu,
  LeakyReLU: activation('leaky-relu', (config) => ({
    a: numberIn(config, 'negative_slope', numberIn(config, 'alpha', 0.3)),
  })),
  ELU: activation('elu', (config) => ({ a: numberIn(config, 'alpha', 1) })),
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
