/**
 * @file Where channels stand: TensorFlow.js is NHWC, ONNX is NCHW. Each rule on pictures transposes on the way in and
 * out, and the graph cancels the pairs between neighbouring layers.
 */
import type * as tf from '@tensorflow/tfjs-core';
import type { Attributes, Graph, Value } from '../graph.js';

export type Shape4 = [number, number, number, number];
export type ConvInfo = tf.backend_util.Conv2DInfo;

export const shape4 = (x: Value) => [...x.shape] as Shape4;
export const nchw = (graph: Graph, x: Value) => graph.transpose(x, [0, 3, 1, 2]);
export const nhwc = (graph: Graph, x: Value) => graph.transpose(x, [0, 2, 3, 1]);
export const nchwShape = ([batch, height, width, channel]: readonly number[]) => [
  batch!,
  channel!,
  height!,
  width!,
];

export function padsOf({ padInfo }: ConvInfo): number[] {
  return [padInfo.top, padInfo.left, padInfo.bottom, padInfo.right];
}

export function convAttributes(info: ConvInfo, group = 1): Attributes {
  return {
    kernel_shape: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    pads: padsOf(info),
    group,
  };
}
