/** @file ONNX operators with windows or weights: convolution, pooling, normalization, matrix products, resizing. */
import { UserError } from '../../../core/errors.js';
import { own } from '../../../core/own.js';
import { clipped } from '../../../core/visible.js';
import { channelCount } from '../../layers/op.js';
import { fromOihw, type Param, reshapedParam, transposed, turned } from '../../layers/params.js';
import type { Coordinates, ResizeOptions } from '../../layers/resample.js';
import type { Padding, Pads, Window } from '../../layers/windows.js';

import { multiplied, reduced } from '../combining.js';
import type { ForeignValue } from '../values.js';
import type { OnnxCall, OnnxRule } from './context.js';
import { channelsLast } from './norms.js';

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
  return importer.image(
    importer.graph.add({ kind: 'conv', kernel: fromOihw(weight), ...bias, window, groups }, x),
  );
};

export const pool =
  (kind: 'max pool' | 'average pool'): OnnxRule =>
  (call) => {
    const window = windowOf(call, call.ints('kernel_shape') ?? []);
    if (kind === 'average pool' && window.dilations.some((d) => d !== 1))
      throw new UserError('averages with a dilation, which is not supported');
    const countPadding = call.int('count_include_pad', 0) === 1;
    return call.importer.image(
      call.importer.graph.add({ kind, window, countPadding }, call.importer.asImage(call.input(0))),
    );
  };

export const globalPool =
  (name: 'mean' | 'max'): OnnxRule =>
  (call) => {
    const x = call.input(0);
    const axes = call.importer.shape(x).map((_, axis) => axis);
    return reduced(call.importer, x, name, axes.slice(2), true);
  };

/** ONNX's kernel [in, out / groups, height, width] as that of the convolution that it is the transpose of, turned. */
function transposedKernel(weight: Param, groups: number): Param {
  const [inputs = 0, outputs = 0, height = 0, width = 0] = weight.shape;
  const grouped = reshapedParam(weight, [groups, inputs / groups, outputs, height, width]);
  // [height, width, in / groups, groups, out / groups]
  const moved = transposed(grouped, [3, 4, 1, 0, 2]);
  return turned(reshapedParam(moved, [height, width, inputs / groups, groups * outputs]), [0, 1]);
}

export const convTranspose: OnnxRule = (call) => {
  const { importer } = call;
  const weight = importer.weight(call.input(1), 'the kernel');
  const groups = call.int('group', 1);
  const x = importer.asImage(call.input(0));
  const [, height, width] = importer.graph.shape(x) as [number, number, number];
  const { strides, dilations, size } = windowOf(call, weight.shape.slice(2));
  const [padRows = 0, padColumns = 0] = call.ints('output_padding') ?? [];
  const given = call.ints('pads') ?? [0, 0, 0, 0];
  let pads: Pads = [given[0]!, given[2]!, given[1]!, given[3]!];
  const automatic = call.string('auto_pad', 'NOTSET');
  const wanted = call.ints('output_shape');
  const lower = automatic === 'SAME_LOWER';
  if (wanted || automatic.startsWith('SAME')) {
    const total = [height, width].map((dim, axis) => {
      const reach = (size[axis]! - 1) * dilations[axis]! + 1;
      const output = wanted?.at(axis - 2) ?? dim * strides[axis]!;
      return strides[axis]! * (dim - 1) + [padRows, padColumns][axis]! + reach - output;
    });
    const split = (sum: number): [number, number] => {
      const half = lower ? Math.ceil(sum / 2) : Math.floor(sum / 2);
      return [half, sum - half];
    };
    pads = [...split(total[0]!), ...split(total[1]!)];
  }
  const bias = call.inputs[2] ? { bias: importer.weight(call.inputs[2], 'the bias') } : {};
  const op = { kind: 'transposed conv', kernel: transposedKernel(weight, groups), ...bias } as const;
  const settings = { strides, dilations, pads, outputPads: [padRows, padColumns] as const, groups };
  return importer.image(importer.graph.add({ ...op, ...settings }, x));
};

export const depthToSpace =
  (inverse: boolean): OnnxRule =>
  (call) => {
    const mode = call.string('mode', 'DCR') === 'CRD' ? 'CRD' : 'DCR';
    const op = { kind: 'depth to space', block: call.int('blocksize', 1), mode, inverse } as const;
    return call.importer.image(call.importer.graph.add(op, call.importer.asImage(call.input(0))));
  };

export const lrn: OnnxRule = (call) =>
  call.importer.image(
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
  return { ...x, node: importer.graph.add({ kind: 'prelu', slope: reshapedParam(slope, [size]) }, x.node) };
};

export const gemm: OnnxRule = (call) => {
  const { importer } = call;
  const turnedBack = (value: ForeignValue, name: string): ForeignValue =>
    call.int(name, 0) === 1 ? importer.transposeValue(value, [1, 0]) : value;
  const [a, b] = [turnedBack(call.input(0), 'transA'), turnedBack(call.input(1), 'transB')];
  const alpha = call.float('alpha', 1);
  const product = multiplied(importer, a, b);
  const scaled = alpha === 1 ? product : importer.activation('linear', product, alpha, 0);
  const term = call.inputs[2];
  if (!term) return scaled;
  const beta = call.float('beta', 1);
  return importer.binary('add', scaled, beta === 1 ? term : importer.activation('linear', term, beta, 0));
};

export const matMul: OnnxRule = (call) => multiplied(call.importer, call.input(0), call.input(1));

const coordinates: Record<string, Coordinates> = {
  half_pixel: 'half_pixel',
  pytorch_half_pixel: 'pytorch_half_pixel',
  align_corners: 'align_corners',
  half_pixel_symmetric: 'half_pixel_symmetric',
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
    antialias: call.int('antialias', 0) === 1,
    excludeOutside: call.int('exclude_outside', 0) === 1,
  };
  const x = importer.asImage(call.input(0));
  const [, height, width] = importer.graph.shape(x) as [number, number, number];
  const spatial = (list: readonly number[]): [number, number] => {
    const axes = call.ints('axes')?.map((axis) => call.axis(axis, 4)) ?? [0, 1, 2, 3];
    const at = (axis: number, fallback: number): number => list[axes.indexOf(axis)] ?? fallback;
    return [at(2, Number.NaN), at(3, Number.NaN)];
  };
  const scaleInput = call.inputs[old ? 1 : 2];
  const given =
    scaleInput && importer.shape(scaleInput)[0] !== 0
      ? importer.numbers(scaleInput, 'the scales')
      : call.floats('scales');
  if (given?.length)
    return importer.image(importer.graph.add({ kind: 'resize', scales: spatial(given), options }, x));
  const size = spatial(importer.numbers(call.input(3), 'the sizes'));
  const scales: [number, number] = [size[0] / height, size[1] / width];
  // A size computed by doubling is meant as doubling, whatever the picture.
  const op = scales.every(Number.isInteger) ? { scales } : { size };
  return importer.image(importer.graph.add({ kind: 'resize', ...op, options }, x));
};
