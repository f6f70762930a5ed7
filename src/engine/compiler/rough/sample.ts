/** @file What a convolution of bytes gives at a few of its places. */
import type { Graph, GraphNode, Value } from '../graph.js';
import { byte, type Rough } from './rough.js';

/** Places that are looked at, about. */
const SAMPLES = 512;

/**
 * Sums of products of bytes, of each channel the least and the largest at the sample's places.
 *
 * @param filter - int8, [out, in, height, width]
 * @returns int32, [out]
 */
export function sampleOf(
  graph: Graph,
  node: GraphNode,
  x: Rough,
  filter: Value,
): { least: Value; most: Value } {
  const [outputs, inputs, high, wide] = filter.shape as [number, number, number, number];
  const places = pixels(node, x.bytes.shape, [high, wide]);
  const rows = places.length / (high * wide);
  const length = high * wide * inputs;
  const pictures = graph.reshape(x.bytes, [x.bytes.shape.slice(0, 3).reduce((a, b) => a * b), inputs]);
  const found = graph.node('Gather', [pictures, graph.ints(places)], [places.length, inputs], 'uint8', {
    axis: 0,
  });
  const matrix = graph.reshape(graph.transpose(filter, [2, 3, 1, 0]), [length, outputs]);
  const factors = [graph.reshape(found, [rows, length]), matrix, byte(graph, x.zero)];
  const sums = graph.node('MatMulInteger', factors, [rows, outputs], 'int32');
  const reduced = (op: 'ReduceMin' | 'ReduceMax') =>
    graph.node(op, [sums, graph.ints([0])], [outputs], 'int32', { keepdims: 0 });
  return { least: reduced('ReduceMin'), most: reduced('ReduceMax') };
}

/** Numbers of the pixels, among those of all pictures, in the windows of a grid of places. */
function pixels(
  { attributes, outputs }: GraphNode,
  shape: readonly number[],
  kernel: readonly [number, number],
) {
  const [batch, ...size] = shape as [number, number, number];
  const strides = attributes.strides as readonly number[];
  const pads = attributes.pads as readonly number[];
  const places = outputs[0]!.shape.slice(2);
  const each = Math.max(1, Math.floor(Math.sqrt((places[0]! * places[1]! * batch) / SAMPLES)));
  /** Where windows begin, along an axis: inside of the picture where they fit. */
  const starts = (axis: 0 | 1) => {
    const last = Math.max(0, size[axis]! - kernel[axis]);
    const all = Array.from({ length: places[axis]! }, (_, i) => i * strides[axis]! - pads[axis]!);
    const inside = all.filter((start) => start >= 0 && start <= last);
    return (inside.length > 0 ? inside : [0]).filter(
      (_, i) => i % each === Math.floor(each / 2) || each === 1,
    );
  };
  const found: number[] = [];
  const [rows, columns] = [starts(0), starts(1)];
  for (let picture = 0; picture < batch; picture++)
    for (const row of rows)
      for (const column of columns)
        for (let y = 0; y < kernel[0]; y++)
          for (let x = 0; x < kernel[1]; x++)
            found.push(
              (picture * size[0]! + Math.min(row + y, size[0]! - 1)) * size[1]! +
                Math.min(column + x, size[1]! - 1),
            );
  return found;
}
