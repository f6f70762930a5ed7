/** @file TensorFlow operations with windows or weights, and those that an optimizer fused from them. */
import { UserError } from '../../../core/errors.js';
import { depthwiseKernel, type Param, reshaped, transposed } from '../../layers/params.js';
import { type Padding, validPadding, type Window } from '../../layers/windows.js';
import { clipped } from '../../limits.js';
import type { Value } from '../values.js';
import type { TfCall, TfRule } from './context.js';

/** [height, width] out of [batch, height, width, channel]. */
function spatial(call: TfCall, name: string): [number, number] {
  const [, rows = 1, columns = 1] = call.ints(name) ?? [];
  return [rows, columns];
}

function paddingOf(call: TfCall): Padding {
  const name = call.string('padding', 'VALID');
  if (name === 'SAME') return 'same';
  if (name !== 'EXPLICIT') return validPadding;
  const [, , top = 0, bottom = 0, left = 0, right = 0] = call.ints('explicit_paddings') ?? [];
  return { pads: [top, bottom, left, right] };
}

function windowOf(call: TfCall, size: readonly [number, number]): Window {
  if (call.string('data_format', 'NHWC') !== 'NHWC') {
    throw new UserError('has its channels first (NCHW): only NHWC is supported');
  }
  return {
    size,
    strides: spatial(call, 'strides'),
    dilations: spatial(call, 'dilations'),
    padding: paddingOf(call),
  };
}

function convolution(call: TfCall): Value {
  const { importer } = call;
  const weight = importer.weight(call.input(1), 'the kernel');
  const depthwise = call.node.op.includes('Depthwise');
  const [height, width, inputs] = weight.shape as readonly [number, number, number, number];
  const x = call.at(0);
  const channels = importer.graph.shape(x).at(-1)!;
  return importer.plain(
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

function matMul(call: TfCall): Value {
  const { importer } = call;
  if (call.flag('transpose_a')) throw new UserError('transposes its first input, which is not supported');
  const weight = importer.weight(call.input(1), 'the second input');
  const kernel = call.flag('transpose_b') ? transposed(weight, [1, 0]) : weight;
  return importer.plain(importer.graph.add({ kind: 'dense', kernel }, call.at(0)));
}

interface Normalization {
  readonly scale: Param;
  readonly shift: Param;
  readonly mean: Param;
  readonly variance: Param;
}

function normalize(call: TfCall, x: Value, params: readonly Value[]): Value {
  const { importer } = call;
  const names = ['scale', 'shift', 'mean', 'variance'] as const;
  const weights = names.map((name, i): [string, Param] => [name, importer.weight(params[i], `the ${name}`)]);
  const op = Object.fromEntries(weights) as unknown as Normalization;
  const epsilon = call.number('epsilon', 1e-4);
  return importer.plain(importer.graph.add({ kind: 'affine', ...op, epsilon }, importer.asPlain(x)));
}

function prelu(call: TfCall, x: Value, slope: Value | undefined): Value {
  const { importer } = call;
  const weight = importer.weight(slope, 'the slope');
  const size = weight.shape.reduce((a, b) => a * b, 1);
  return importer.plain(
    importer.graph.add({ kind: 'prelu', slope: reshaped(weight, [size]) }, importer.asPlain(x)),
  );
}

/** `base`, then what stands in `fused_ops`; the extra inputs follow the first two. */
const fused =
  (base: (call: TfCall) => Value): TfRule =>
  (call) => {
    const { importer } = call;
    const more = call.inputs.slice(2);
    const next = (): Value => {
      const value = more.shift();
      if (!value) throw new UserError('lacks an input of what it is fused with');
      return value;
    };
    return call.strings('fused_ops').reduce((x: Value, name) => {
      if (name === 'BiasAdd') return importer.binary('add', x, next());
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
    return call.importer.plain(call.importer.graph.add({ kind, window, countPadding: false }, call.at(0)));
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
  return call.importer.plain(call.importer.graph.add(op, call.at(0)));
};

const resize =
  (interpolation: 'nearest' | 'linear'): TfRule =>
  (call) => {
    const { graph } = call.importer;
    const x = call.at(0);
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
  BatchMatMulV2: matMul,
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
