/** @file A convolution of a picture in 8 bits by a filter in 8 bits. */
import { weightSteps } from '../../dot-products.js';
import type { Graph, GraphNode, Value } from '../graph.js';
import { pad, slice } from '../rules/shape.js';
import { byte, type Rough, scaleFor, type Zero } from './rough.js';
import { sampleOf } from './sample.js';

/** How much larger values may be than those of the sample before they are cut off. */
const ROOM = 1.2;

/** ONNX Runtime's fast kernel reads channels by fours and makes them by sixteens (convsym.cpp). */
const READ = 4;
const MADE = 16;

/**
 * What is written are bytes, and their scale has to be known before: so it is computed at a sample of places first.
 *
 * @param node - the convolution in float32; its filter and bias depend on weights alone
 * @param zero - 0 where of the result only what is positive is read
 */
export function roughConv(graph: Graph, node: GraphNode, x: Rough, zero: Zero): Rough {
  const [, weights, bias] = node.inputs as [Value, Value, Value | undefined];
  const outputs = weights.shape[0]!;
  const filter = filterInBytes(graph, filledUp(graph, weights, [MADE, READ, 1, 1]));
  const read = { ...x, bytes: filledUp(graph, x.bytes, [1, 1, 1, READ], x.zero) };
  const worth = graph.elementwise('Mul', [filter.scales, x.scale]); // [made]
  const biases = bias && filledUp(graph, bias, [MADE]);
  const worthOf = (sums: Value) => {
    const values = graph.elementwise('Mul', [graph.cast(sums, 'float32'), worth]);
    return biases ? graph.elementwise('Add', [values, biases]) : values;
  };
  const { least, most } = sampleOf(graph, node, read, filter.bytes);
  const top = largest(graph, zero === 0 ? [worthOf(most)] : [worthOf(least), worthOf(most)]);
  const scale = scaleFor(graph, graph.elementwise('Mul', [top, graph.splat(ROOM, [], 'float32')]), zero);
  const made = filter.bytes.shape[0]!;
  const [batch, , height, width] = node.outputs[0]!.shape as [number, number, number, number];
  const inputs = [
    read.bytes,
    x.scale,
    byte(graph, x.zero),
    filter.bytes,
    filter.scales,
    graph.splat(0, [made], 'int8'),
    scale,
    byte(graph, zero),
    biases ? graph.cast(graph.unary('Round', graph.elementwise('Div', [biases, worth])), 'int32') : null,
  ];
  const bytes = graph.node('QLinearConv', inputs, [batch, height, width, made], 'uint8', {
    ...node.attributes,
    channels_last: 1,
  });
  return { bytes: slice(graph, bytes, [0, 0, 0, 0], [batch, height, width, outputs]), scale, zero };
}

/** An array whose axes are filled up to multiples. */
function filledUp(graph: Graph, x: Value, multiples: readonly number[], value = 0): Value {
  const after = x.shape.map((dim, axis) => (multiples[axis]! - (dim % multiples[axis]!)) % multiples[axis]!);
  return pad(
    graph,
    x,
    after.map((size) => [0, size]),
    value,
  );
}

/** The largest magnitude in arrays, []. */
function largest(graph: Graph, arrays: readonly Value[]): Value {
  const magnitudes = arrays.map((x) => graph.unary('Abs', x));
  const most = magnitudes.length > 1 ? graph.elementwise('Max', magnitudes) : magnitudes[0]!;
  return graph.node('ReduceMax', [most], [], 'float32', { keepdims: 0 });
}

/** A filter, [out, in, height, width], in 8 bits, and what a step is worth in each output channel, [out]. */
function filterInBytes(graph: Graph, weights: Value): { bytes: Value; scales: Value } {
  const [outputs] = weights.shape as [number];
  const magnitudes = graph.unary('Abs', weights);
  const tops = graph.node('ReduceMax', [magnitudes, graph.ints([1, 2, 3])], [outputs, 1, 1, 1], 'float32', {
    keepdims: 1,
  });
  const share = graph.splat(1 / weightSteps(), [], 'float32');
  const least = graph.splat(1e-30, [], 'float32');
  const scales = graph.elementwise('Max', [graph.elementwise('Mul', [tops, share]), least]);
  const bytes = graph.cast(graph.unary('Round', graph.elementwise('Div', [weights, scales])), 'int8');
  return { bytes, scales: graph.reshape(scales, [outputs]) };
}
