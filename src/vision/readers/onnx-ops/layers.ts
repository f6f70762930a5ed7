/** @file ONNX operators with windows or weights: convolution, pooling, normalization, matrix products, resizing. */
import { UserError } from '../../../core/errors.js';
import { own } from '../../../core/own.js';
import { channelCount } from '../../layers/op.js';
import { fromOihw, reshaped, transposed } from '../../layers/params.js';
import type { Coordinates, ResizeOptions } from '../../layers/resample.js';
import type { Padding, Pads, Window } from '../../layers/windows.js';
import { clipped } from '../../limits.js';
import type { NodeValue, Value } from '../values.js';
import type { OnnxCall, OnnxRule } from './context.js';

const image = (node: number): NodeValue => ({ kind: 'node', node, swapped: true });

function paddingOf(call: OnnxCall): Padding {
  const automatic = call.string('auto_pad', 'NOTSET');
  if (automatic === 'SAME_UPPER') return 'same';
  if (automatic === 'SAME_LOWER') return 'same-lower';
  // ONNX: beginnings of all axes, then ends.
  const [top = 0, left = 0, bottom = 0, right = 0] = automatic === 'VALID' ? [] : (call.ints('pads') ?? []);
  const pads: Pads = [top, bottom, left, right];
  return { pads, ceil: call.int('ceil_mode', 0) === 1 };
}

function windowOf(call: OnnxCall, size: readonly number[]): Window {
  if (size.length !== 2)
    throw new UserError(`has a window of ${size.length} axes: only images are supported`);
  const pair = (name: string): [number, number] => {
    const [rows = 1, columns = 1] = call.ints(name) ?? [];
    return [rows, columns];
  };
  return {
    size: [size[0]!, size[1]!],
    strides: pair('strides'),
    dilations: pair('dilations'),
    padding: paddingOf(call),
  };
}

export const conv: OnnxRule = (call) => {
  const { importer } = call;
  const weight = importer.weight(call.input(1), 'the kernel');
  const window = windowOf(call, weight.shape.slice(2));
  const bias = call.inputs[2] ? { bias: importer.weight(call.inputs[2], 'the bias') } : {};
  const x = importer.asImage(call.input(0));
  const groups = call.int('group', 1);
  return image(importer.graph.add({ kind: 'conv', kernel: fromOihw(weight), ...bias, window, groups }, x));
};

export const pool =
  (kind: 'max pool' | 'average pool'): OnnxRule =>
  (call) => {
    const window = windowOf(call, call.ints('kernel_shape') ?? []);
    if (window.dilations.some((d) => d !== 1))
      throw new UserError('pools with a dilation, which is not supported');
    const countPadding = call.int('count_include_pad', 0) === 1;
    return image(
      call.importer.graph.add({ kind, window, countPadding }, call.importer.asImage(call.input(0))),
    );
  };

export const globalPool =
  (name: 'mean' | 'max'): OnnxRule =>
  (call) => {
    const x = call.importer.asImage(call.input(0));
    return image(call.importer.graph.add({ kind: 'reduce', name, axes: [1, 2], keepDims: true }, x));
  };

/** `value` with its channels last: images, or vectors [batch, channel]. */
function channelsLast(call: OnnxCall, value: Value): NodeValue {
  const rank = call.importer.shape(value).length;
  if (rank === 4) return image(call.importer.asImage(value));
  if (rank === 2) return call.importer.held(value);
  throw new UserError(`works on arrays of ${rank} axes: only images and vectors are supported`);
}

export const batchNorm: OnnxRule = (call) => {
  const { importer } = call;
  const x = channelsLast(call, call.input(0));
  const [scale, shift, mean, variance] = [1, 2, 3, 4].map((i) =>
    importer.weight(call.input(i), `input ${i}`),
  );
  const op = { kind: 'affine', scale: scale!, shift: shift!, mean: mean!, variance: variance! } as const;
  return { ...x, node: importer.graph.add({ ...op, epsilon: call.float('epsilon', 1e-5) }, x.node) };
};

/** (x - mean) / sqrt(variance + epsilon) over `axes`, then scale and shift along the last axis. */
function normalize(call: OnnxCall, x: NodeValue, axes: readonly number[]): Value {
  const { importer } = call;
  const { graph } = importer;
  const mean = (node: number): number =>
    graph.add({ kind: 'reduce', name: 'mean', axes, keepDims: true }, node);
  const centred = graph.add({ kind: 'subtract' }, x.node, mean(x.node));
  const variance = mean(graph.add({ kind: 'multiply' }, centred, centred));
  const shifted = graph.add({ kind: 'activation', name: 'linear', b: call.float('epsilon', 1e-5) }, variance);
  const normalizer = graph.add({ kind: 'activation', name: 'rsqrt' }, shifted);
  const scale = importer.weight(call.input(1), 'the scale');
  const shift = call.inputs[2] ? { shift: importer.weight(call.inputs[2], 'the bias') } : {};
  const normalized = graph.add({ kind: 'multiply' }, centred, normalizer);
  return { ...x, node: graph.add({ kind: 'affine', scale, ...shift }, normalized) };
}

export const instanceNorm: OnnxRule = (call) =>
  normalize(call, image(call.importer.asImage(call.input(0))), [1, 2]);

export const layerNorm: OnnxRule = (call) => {
  const x = call.importer.plain(call.importer.asPlain(call.input(0)));
  const rank = call.importer.shape(x).length;
  if (call.axis(call.int('axis', -1), rank) !== rank - 1) {
    throw new UserError('normalizes over several axes: only the last one is supported');
  }
  return normalize(call, x, [rank - 1]);
};

export const lrn: OnnxRule = (call) =>
  image(
    call.importer.graph.add(
      {
        kind: 'lrn',
        size: call.int('size', 1),
        alpha: call.float('alpha', 1e-4),
        beta: call.float('beta', 0.75),
        bias: call.float('bias', 1),
      },
      call.importer.asImage(call.input(0)),
    ),
  );

export const prelu: OnnxRule = (call) => {
  const { importer } = call;
  const x = channelsLast(call, call.input(0));
  const slope = importer.weight(call.input(1), 'the slope');
  const channels = channelCount(importer.graph.shape(x.node));
  const size = slope.shape.reduce((a, b) => a * b, 1);
  if (size !== 1 && size !== channels)
    throw new UserError('has a slope for each pixel, which is not supported');
  return { ...x, node: importer.graph.add({ kind: 'prelu', slope: reshaped(slope, [size]) }, x.node) };
};

export const gemm: OnnxRule = (call) => {
  const { importer } = call;
  if (call.int('transA', 0) === 1) throw new UserError('transposes its first input, which is not supported');
  const weight = importer.weight(call.input(1), 'the second input');
  const kernel = call.int('transB', 0) === 1 ? transposed(weight, [1, 0]) : weight;
  const x = importer.asPlain(call.input(0));
  const alpha = call.float('alpha', 1);
  const product = importer.plain(importer.graph.add({ kind: 'dense', kernel }, x));
  const scaled = alpha === 1 ? product : importer.activation('linear', product, alpha, 0);
  const term = call.inputs[2];
  if (!term) return scaled;
  if (call.float('beta', 1) !== 1) throw new UserError('scales its third input, which is not supported');
  return importer.binary('add', scaled, term);
};

export const matMul: OnnxRule = (call) => {
  const { importer } = call;
  const kernel = importer.weight(call.input(1), 'the second input');
  if (kernel.shape.length !== 2) throw new UserError(`multiplies by an array of ${kernel.shape.length} axes`);
  return importer.plain(importer.graph.add({ kind: 'dense', kernel }, importer.asPlain(call.input(0))));
};

const coordinates: Record<string, Coordinates> = {
  half_pixel: 'half_pixel',
  pytorch_half_pixel: 'pytorch_half_pixel',
  align_corners: 'align_corners',
  asymmetric: 'asymmetric',
};

const rounding: Record<string, NonNullable<ResizeOptions['rounding']>> = {
  floor: 'floor',
  ceil: 'ceil',
  round_prefer_floor: 'round_prefer_floor',
  round_prefer_ceil: 'round_prefer_ceil',
};

function known<T>(table: Readonly<Record<string, T>>, name: string, what: string): T {
  const found = own(table, name);
  if (!found) throw new UserError(`has the ${what} "${clipped(name)}", which is not supported`);
  return found;
}

/** Resize of all versions, and Upsample before it. */
export const resize: OnnxRule = (call) => {
  const { importer } = call;
  const old = call.node.opType === 'Upsample' || call.opset < 11;
  const modes = { nearest: 'nearest', linear: 'linear', cubic: 'cubic' } as const;
  const options: ResizeOptions = {
    interpolation: known(modes, call.string('mode', 'nearest'), 'mode'),
    coordinates: old
      ? 'asymmetric'
      : known(coordinates, call.string('coordinate_transformation_mode', 'half_pixel'), 'coordinates'),
    rounding: old ? 'floor' : known(rounding, call.string('nearest_mode', 'round_prefer_floor'), 'rounding'),
    cubic: call.float('cubic_coeff_a', -0.75),
  };
  for (const flag of ['antialias', 'exclude_outside']) {
    if (call.int(flag, 0) === 1) throw new UserError(`resizes with ${flag}, which is not supported`);
  }
  const x = importer.asImage(call.input(0));
  const [, height, width] = importer.graph.shape(x) as [number, number, number];
  const spatial = (list: readonly number[]): [number, number] => {
    const axes = call.ints('axes') ?? [0, 1, 2, 3];
    const at = (axis: number, fallback: number): number => list[axes.indexOf(axis)] ?? fallback;
    return [at(2, Number.NaN), at(3, Number.NaN)];
  };
  const scaleInput = call.inputs[old ? 1 : 2];
  const given = scaleInput ? importer.numbers(scaleInput, 'the scales') : call.floats('scales');
  if (given?.length) return image(importer.graph.add({ kind: 'resize', scales: spatial(given), options }, x));
  const size = spatial(importer.numbers(call.input(3), 'the sizes'));
  const scales: [number, number] = [size[0] / height, size[1] / width];
  // A size computed by doubling is meant as doubling, whatever the picture.
  const op = scales.every(Number.isInteger) ? { scales } : { size };
  return image(importer.graph.add({ kind: 'resize', ...op, options }, x));
};
