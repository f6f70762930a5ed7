/** @file TensorFlow operations with windows or weights, and those that an optimizer fused from them. */
import { UserError } from '../../../core/errors.js';
import { clipped } from '../../../core/visible.js';
import { channelCount, type TransposedConvOp } from '../../layers/op.js';
import { depthwiseKernel, type Param, reshapedParam, transposed, turned } from '../../layers/params.js';
import { type Padding, validPadding, type Window } from '../../layers/windows.js';

import { multiplied } from '../combining.js';
import type { ForeignValue } from '../values.js';
import type { TfCall, TfRule } from './context.js';

/** [height, width] out of [batch, height, width, channel]. */
function spatial(call: TfCall, name: string): [number, number] {
  const given = call.ints(name) ?? [];
  const [rows = 1, columns = 1] = call.isChannelsFirst ? given.slice(2) : given.slice(1);
  return [rows, columns];
}

function paddingOf(call: TfCall): Padding {
  const name = call.string('padding', 'VALID');
  if (name === 'SAME') return 'same';
  if (name !== 'EXPLICIT') return validPadding;
  const given = call.ints('explicit_paddings') ?? [];
  const [top = 0, bottom = 0, left = 0, right = 0] = given.slice(call.isChannelsFirst ? 4 : 2);
  return { pads: [top, bottom, left, right] };
}

function windowOf(call: TfCall, size: readonly [number, number]): Window {
  return {
    size,
    strides: spatial(call, 'strides'),
    dilations: spatial(call, 'dilations'),
    padding: paddingOf(call),
  };
}

function convolution(call: TfCall): ForeignValue {
  const { importer } = call;
  const weight = importer.weight(call.input(1), 'the kernel');
  const depthwise = call.node.op.includes('Depthwise');
  const [height, width, inputs] = weight.shape as readonly [number, number, number, number];
  const x = call.image(0);
  const channels = importer.graph.shape(x).at(-1)!;
  return call.asOutput(
    importer.graph.add(
      {
        kind: 'conv',
        kernel: depthwise ? depthwiseKernel(weight) : weight,
        window: windowOf(call, [height, width]),
        groups: depthwise ? channels : channels / inputs,
      },
      x,
    ),
  );
}

function matMul(call: TfCall): ForeignValue {
  const { importer } = call;
  const flipped = (value: ForeignValue, flag: string): ForeignValue => {
    if (!call.flag(flag)) return value;
    const rank = importer.shape(value).length;
    const axes = Array.from({ length: rank }, (_, axis) => axis);
    return importer.transposeValue(value, [...axes.slice(0, -2), rank - 1, rank - 2]);
  };
  const [first, second] = call.node.op.startsWith('Batch')
    ? ['adj_x', 'adj_y']
    : ['transpose_a', 'transpose_b'];
  return multiplied(importer, flipped(call.input(0), first!), flipped(call.input(1), second!));
}

/** [height, width, out, in] as the kernel of the convolution that it is the transpose of, turned. */
const transposedConv: TfRule = (call) => {
  const { importer } = call;
  const weight = importer.weight(call.input(1), 'the kernel');
  const kernel = turned(transposed(weight, [0, 1, 3, 2]), [0, 1]);
  const image = importer.asImage(call.input(2), call.isChannelsFirst ? 'NCHW' : 'NHWC');
  const strides = spatial(call, 'strides');
  const [height, width] = importer.graph.shape(image).slice(1) as [number, number];
  const sizes = call.numbers(0, 'the size');
  const [rows, columns] = (call.isChannelsFirst ? sizes.slice(2) : sizes.slice(1)) as [number, number];
  const padding = paddingOf(call);
  const given = typeof padding === 'string' ? null : padding.pads;
  /** What is cut off before and after along an axis, and what is missing there. */
  const cut = (axis: 0 | 1, dim: number, wanted: number): [number, number, number] => {
    const full = (dim - 1) * strides[axis] + kernel.shape[axis]!;
    const before = given ? given[2 * axis]! : Math.max(0, Math.floor((full - wanted) / 2));
    const after = full - wanted - before;
    return [before, Math.max(0, after), Math.max(0, -after)];
  };
  const [top, bottom, below] = cut(0, height, rows);
  const [left, right, beside] = cut(1, width, columns);
  const isSame = !given && rows === height * strides[0] && columns === width * strides[1];
  const op: TransposedConvOp = {
    kind: 'transposed conv',
    kernel,
    strides,
    groups: 1,
    dilations: [1, 1],
    pads: isSame ? 'same' : [top, bottom, left, right],
    outputPads: [below, beside],
  };
  return call.asOutput(importer.graph.add(op, image));
};

const depthToSpace =
  (inverse: boolean): TfRule =>
  (call) => {
    const op = { kind: 'depth to space', block: call.number('block_size', 1), mode: 'DCR', inverse } as const;
    return call.asOutput(call.importer.graph.add(op, call.image(0)));
  };

interface Normalization {
  readonly scale: Param;
  readonly shift: Param;
  readonly mean: Param;
  readonly variance: Param;
}

function normalize(call: TfCall, x: ForeignValue, params: readonly ForeignValue[]): ForeignValue {
  const { importer } = call;
  const names = ['scale', 'shift', 'mean', 'variance'] as const;
  const weights = names.map((name, i): [string, Param] => [name, importer.weight(params[i], `the ${name}`)]);
  const op = Object.fromEntries(weights) as unknown as Normalization;
  const epsilon = call.number('epsilon', 1e-4);
  return importer.after(call.channelsLast(x), { kind: 'affine', ...op, epsilon });
}

function prelu(call: TfCall, x: ForeignValue, slope: ForeignValue | undefined): ForeignValue {
  const { importer } = call;
  const weight = importer.weight(slope, 'the slope');
  const size = weight.shape.reduce((a, b) => a * b, 1);
  const held = call.channelsLast(x);
  const channels = channelCount(importer.graph.shape(held.node));
  if (size !== 1 && size !== channels)
    throw new UserError('has a slope for each pixel, which is not supported');
  return importer.after(held, { kind: 'prelu', slope: reshapedParam(weight, [size]) });
}

/** A number for each channel, wherever those are. */
function biasAdded(call: TfCall, x: ForeignValue, bias: ForeignValue): ForeignValue {
  const { importer } = call;
  const [channels = 1] = importer.shape(bias);
  const isFirst = call.isChannelsFirst && importer.shape(x).length === 4;
  return importer.binary('add', x, isFirst ? importer.reshape(bias, [channels, 1, 1]) : bias);
}

/** `base`, then what stands in `fused_ops`; the extra inputs follow the first two. */
const fused =
  (base: (call: TfCall) => ForeignValue): TfRule =>
  (call) => {
    const { importer } = call;
    const more = call.inputs.slice(2);
    const next = (): ForeignValue => {
      const value = more.shift();
      if (!value) throw new UserError('lacks an input of what it is fused with');
      return value;
    };
    return call.strings('fused_ops').reduce((x: ForeignValue, name) => {
      if (name === 'BiasAdd') return biasAdded(call, x, next());
      if (name === 'FusedBatchNorm') return normalize(call, x, more.splice(0, 4));
      if (name === 'Prelu') return prelu(call, x, next());
      if (name === 'Relu') return importer.activation('relu', x);
      if (name === 'Relu6') return importer.activation('clip', x, 0, 6);
      if (name === '_FusedHardSwish') return importer.activation('hard-swish', x);
      if (name === 'Elu') return importer.activation('elu', x);
      if (name === 'Sigmoid') return importer.activation('sigmoid', x);
      if (name === 'LeakyRelu')
        return importer.activation('leaky-relu', x, call.number('leakyrelu_alpha', 0.2));
      throw new UserError(`is fused with ${clipped(name)}, which is not supported`);
    }, base(call));
  };

const pool =
  (kind: 'max pool' | 'average pool'): TfRule =>
  (call) => {
    const window = { ...windowOf(call, spatial(call, 'ksize')), dilations: [1, 1] as const };
    return call.asOutput(call.importer.graph.add({ kind, window, countPadding: false }, call.image(0)));
  };

const batchNorm: TfRule = (call) => {
  if (call.flag('is_training'))
    throw new UserError('normalizes by the batch: export the network for inference');
  return normalize(call, call.input(0), call.inputs.slice(1, 5));
};

const lrn: TfRule = (call) => {
  const size = 2 * call.number('depth_radius', 5) + 1;
  const alpha = call.number('alpha', 1) * size;
  const op = {
    kind: 'lrn',
    size,
    alpha,
    beta: call.number('beta', 0.5),
    bias: call.number('bias', 1),
  } as const;
  return call.asOutput(call.importer.graph.add(op, call.image(0)));
};

const resize =
  (interpolation: 'nearest' | 'linear'): TfRule =>
  (call) => {
    const { graph } = call.importer;
    const x = call.image(0);
    const [, height, width] = graph.shape(x) as [number, number, number];
    const [rows, columns] = call.numbers(1, 'the size') as [number, number];
    const centred = call.flag('half_pixel_centers');
    const options = {
      interpolation,
      coordinates: call.flag('align_corners') ? 'align_corners' : centred ? 'half_pixel' : 'asymmetric',
      rounding: call.flag('align_corners') || centred ? 'round_prefer_ceil' : 'floor',
    } as const;
    const scales: [number, number] = [rows / height, columns / width];
    // A size computed by doubling is meant as doubling, whatever the picture.
    const target = scales.every(Number.isInteger) ? { scales } : { size: [rows, columns] as const };
    return call.importer.plain(graph.add({ kind: 'resize', ...target, options }, x));
  };

export const layers: Readonly<Record<string, TfRule>> = {
  Conv2D: convolution,
  DepthwiseConv2dNative: convolution,
  _FusedConv2D: fused(convolution),
  FusedDepthwiseConv2dNative: fused(convolution),
  MatMul: matMul,
  _FusedMatMul: fused(matMul),
  BatchMatMul: matMul,
  BatchMatMulV2: matMul,
  Conv2DBackpropInput: transposedConv,
  DepthToSpace: depthToSpace(false),
  SpaceToDepth: depthToSpace(true),
  BiasAdd: (call) => biasAdded(call, call.input(0), call.input(1)),
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  MaxPool: pool('max pool'),
  AvgPool: pool('average pool'),
  LRN: lrn,
  Prelu: (call) => prelu(call, call.input(0), call.input(1)),
  ResizeBilinear: resize('linear'),
  ResizeNearestNeighbor: resize('nearest'),
};
