/**
 * @file Pictures in 8 bits: bytes with one scale for all of them, channel-last, as ONNX Runtime's convolutions of bytes want
 * them.
 */
import { type Graph, madeBy, type Value } from '../graph.js';

/** (byte - zero) * scale is what a byte stands for. */
export interface Rough {
  /** uint8, [batch, height, width, channel]. */
  readonly bytes: Value;
  /** []. */
  readonly scale: Value;
  readonly zero: Zero;
  /** Bytes of a picture of which it is a gradient: zero where they are not positive. */
  readonly gatedBy?: Value;
}

/** The byte that stands for zero: 0 where nothing is negative. */
export type Zero = 0 | 128;

export const TO_NHWC = [0, 2, 3, 1];
const TO_NCHW = [0, 3, 1, 2];

/** What is said of the axes batch, channel, height and width, in the order of bytes. */
export const inBytes = <T>([batch, channel, height, width]: readonly T[]): T[] => [
  batch!,
  height!,
  width!,
  channel!,
];

export const byte = (graph: Graph, value: number): Value => graph.splat(value, [], 'uint8');

/** What a byte is worth where the largest magnitude is `top`, []. */
export function scaleFor(graph: Graph, top: Value, zero: Zero): Value {
  const share = graph.splat(1 / (255 - zero), [], 'float32');
  const least = graph.splat(1e-30, [], 'float32');
  return graph.elementwise('Max', [graph.elementwise('Mul', [top, share]), least]);
}

/** A picture of float32, [batch, channel, height, width], in 8 bits. */
export function roughened(graph: Graph, x: Value): Rough {
  const zero = madeBy(x, 'Relu') ? 0 : 128;
  // A picture that was channel-last before needs no transpose.
  const moved = madeBy(x, 'Transpose');
  const inner = `${moved?.attributes.perm}` === `${TO_NCHW}` ? moved!.inputs[0]! : undefined;
  const from = inner ?? x;
  const magnitudes = graph.node('Abs', [from], from.shape, 'float32');
  const top = graph.node('ReduceMax', [magnitudes], [], 'float32', { keepdims: 0 });
  const scale = scaleFor(graph, top, zero);
  const bytes = graph.node('QuantizeLinear', [from, scale, byte(graph, zero)], from.shape, 'uint8');
  return { bytes: inner ? bytes : graph.transpose(bytes, TO_NHWC), scale, zero };
}

/** What bytes stand for, as float32, [batch, channel, height, width]. */
export function smoothed(graph: Graph, { bytes, scale, zero }: Rough): Value {
  const moved = graph.transpose(bytes, TO_NCHW);
  return graph.node('DequantizeLinear', [moved, scale, byte(graph, zero)], moved.shape, 'float32');
}
