/** @file ONNX operators that normalize. */
import { UserError } from '../../../core/errors.js';
import { reduced } from '../combining.js';
import type { Importer } from '../importer.js';
import { picked } from '../moves.js';
import type { ForeignValue, NodeValue } from '../values.js';
import type { OnnxCall, OnnxRule } from './context.js';

/** `value` with its second axis, the channels, held last. */
export function channelsLast(call: OnnxCall, value: ForeignValue): NodeValue {
  const rank = call.importer.shape(value).length;
  if (value.kind !== 'node' || rank < 2)
    throw new UserError('works on an array that is no activation with channels');
  const axes = Array.from({ length: rank }, (_, axis) => axis).filter((axis) => axis !== 1);
  axes.push(1);
  const node = call.importer.arranged(value, axes);
  return { ...value, node, order: axes.map((_, axis) => axes.indexOf(axis)) };
}

const batchNorm: OnnxRule = (call) => {
  const { importer } = call;
  const x = channelsLast(call, call.input(0));
  const [scale, shift, mean, variance] = [1, 2, 3, 4].map((i) =>
    importer.weight(call.input(i), `input ${i}`),
  );
  const op = { kind: 'affine', scale: scale!, shift: shift!, mean: mean!, variance: variance! } as const;
  return { ...x, node: importer.graph.add({ ...op, epsilon: call.float('epsilon', 1e-5) }, x.node) };
};

/** (x - mean) / sqrt(variance + epsilon) over `axes` of the file. */
function normalized(
  importer: Importer,
  x: ForeignValue,
  axes: readonly number[],
  epsilon: number,
): ForeignValue {
  const centred = importer.binary('subtract', x, reduced(importer, x, 'mean', axes, true));
  const variance = reduced(importer, importer.binary('multiply', centred, centred), 'mean', axes, true);
  const shifted = importer.activation('linear', variance, 1, epsilon);
  return importer.binary('multiply', centred, importer.activation('rsqrt', shifted));
}

/** A scale and a shift, of which either may be left out, with one number for each entry of an axis. */
function scaledAlong(
  call: OnnxCall,
  x: ForeignValue,
  axis: number,
  shape = call.importer.shape(x),
): ForeignValue {
  const along = (value: ForeignValue): ForeignValue =>
    call.importer.reshape(
      value,
      shape.map((dim, i) => (i === axis ? dim : 1)),
    );
  const scale = call.inputs[1];
  const shift = call.inputs[2];
  const scaled = scale ? call.importer.binary('multiply', x, along(scale)) : x;
  return shift ? call.importer.binary('add', scaled, along(shift)) : scaled;
}

const instanceNorm: OnnxRule = (call) => {
  const x = call.input(0);
  const axes = call.importer.shape(x).map((_, axis) => axis);
  const result = normalized(call.importer, x, axes.slice(2), call.float('epsilon', 1e-5));
  return scaledAlong(call, result, 1);
};

/** Over the last axes, from `axis` on. */
const layerNorm: OnnxRule = (call) => {
  const { importer } = call;
  const x = call.input(0);
  const rank = importer.shape(x).length;
  const first = call.axis(call.int('axis', -1), rank);
  const epsilon = call.float('epsilon', 1e-5);
  if (x.kind === 'node' && first === rank - 1 && x.order[first] === first) {
    const scale = importer.weight(call.input(1), 'the scale');
    const shift = call.inputs[2] && { shift: importer.weight(call.inputs[2], 'the shift') };
    return importer.after(x, { kind: 'layer norm', scale, ...shift, epsilon });
  }
  const axes = Array.from({ length: rank - first }, (_, i) => first + i);
  const result = normalized(importer, x, axes, epsilon);
  const scaled = importer.binary('multiply', result, call.input(1));
  return call.inputs[2] ? importer.binary('add', scaled, call.inputs[2]) : scaled;
};

const rmsNorm: OnnxRule = (call) => {
  const { importer } = call;
  const x = call.input(0);
  const rank = importer.shape(x).length;
  const first = call.axis(call.int('axis', -1), rank);
  const axes = Array.from({ length: rank - first }, (_, i) => first + i);
  const square = reduced(importer, importer.binary('multiply', x, x), 'mean', axes, true);
  const shifted = importer.activation('linear', square, 1, call.float('epsilon', 1e-5));
  const result = importer.binary('multiply', x, importer.activation('rsqrt', shifted));
  return importer.binary('multiply', result, call.input(1));
};

/** Over each group of channels; `scale` has one number a channel, before version 21 one a group. */
const groupNorm: OnnxRule = (call) => {
  const { importer } = call;
  const x = channelsLast(call, call.input(0));
  const groups = call.int('num_groups', call.int('groups', 1));
  const epsilon = call.float('epsilon', 1e-5);
  const result = importer.after(x, { kind: 'group norm', groups, epsilon });
  const channels = importer.shape(x)[1]!;
  const [size] = importer.shape(call.input(1));
  if (size === channels) return scaledAlong(call, result, 1);
  if (size !== groups) throw new UserError(`has ${size} scales for ${channels} channels in ${groups} groups`);
  const indices = Array.from({ length: channels }, (_, c) => Math.floor((c * groups) / channels));
  const spread = call.inputs.map((value, i) =>
    i > 0 && value ? picked(importer, value, 0, indices) : value,
  );
  return scaledAlong(call.withInputs(spread), result, 1);
};

export const onnxNorms: Readonly<Record<string, OnnxRule>> = {
  BatchNormalization: batchNorm,
  InstanceNormalization: instanceNorm,
  LayerNormalization: layerNorm,
  GroupNormalization: groupNorm,
  RMSNormalization: rmsNorm,
  SimplifiedLayerNormalization: rmsNorm,
};
