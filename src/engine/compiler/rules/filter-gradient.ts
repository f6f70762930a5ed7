/** @file The gradient of a convolution's filter: products of what each place of it saw with the gradient of the result. */
import type { Graph, Value } from '../graph.js';
import { type ConvInfo, nchw, shape4 } from './layout.js';
import { matrixProduct } from './linear.js';
import { isSmall, seenByFilter, type Windows, windowsOf } from './patches.js';
import { concat, gather, NO_PADDING, padHere } from './shape.js';

/** Channels of the result for each of its pixels up to which products a picture are faster: each writes a filter. */
const CHANNELS_A_PIXEL = 3;

/**
 * @param x - [batch, height, width, channel]
 * @param dy - [batch, out height, out width, out channel]
 * @returns [height, width, channel, out channel]
 */
export function filterGradient(graph: Graph, x: Value, dy: Value, info: ConvInfo): Value {
  const windows = windowsOf(info);
  const [height, width] = windows.out;
  const isWide = info.outChannels > CHANNELS_A_PIXEL * height * width;
  if (!isSmall(windows) && windows.strides[1] === 1 && !isWide)
    return byColumns(graph, nchw(graph, x), nchw(graph, dy), windows);
  // What a whole filter sees of large pictures is too much to keep: one row of it at a time.
  const parts = isSmall(windows) ? [windows] : rowsOf(windows);
  const products = parts.map((part) => {
    const seen = seenByFilter(graph, x, part);
    return matrixProduct(graph, seen, graph.reshape(dy, [seen.shape[0]!, info.outChannels]), true, false);
  });
  return graph.reshape(concat(graph, products, 0), info.filterShape);
}

/** Each row of a filter as a filter. */
const rowsOf = ({ filter: [height, width], rows: [top, bottom], ...windows }: Windows): Windows[] =>
  Array.from({ length: height }, (_, i) => ({ ...windows, filter: [1, width], rows: [top - i, bottom] }));

/**
 * One product a picture and column of the filter, each for all of its rows: less is copied than with what the whole filter sees, and
 * nothing transposed. Rows are moved in `x`, columns in `dy`, so pictures keep their size.
 *
 * @param x - [batch, channel, height, width]
 * @param dy - [batch, out channel, out height, out width]
 */
function byColumns(graph: Graph, x: Value, dy: Value, windows: Windows): Value {
  const [batch, channels, , width] = shape4(x);
  const [, outChannels, outHeight, outWidth] = shape4(dy);
  const { filter, strides, rows, columns } = windows;
  const pixels = outHeight * width;
  const seen = Array.from({ length: filter[0] }, (_, i) =>
    Array.from({ length: outHeight }, (_, y) => i + y * strides[0]),
  ).flat();
  const index = graph.constant(Int32Array.from(seen), [seen.length], 'int32');
  const moved = gather(graph, padHere(graph, x, [NO_PADDING, NO_PADDING, rows, NO_PADDING]), index, 2);
  const left = graph.reshape(moved, [batch, channels * filter[0], pixels]);
  const products = Array.from({ length: filter[1] }, (_, column) => {
    const before = column - columns[0];
    const right = padHere(graph, dy, [
      NO_PADDING,
      NO_PADDING,
      NO_PADDING,
      [before, width - outWidth - before],
    ]);
    const each = matrixProduct(graph, left, graph.reshape(right, [batch, outChannels, pixels]), false, true);
    const shape = [1, channels * filter[0], outChannels];
    const sum = graph.node('ReduceSum', [each, graph.ints([0])], shape, x.dtype, { keepdims: 1 });
    return graph.reshape(sum, [channels, filter[0], 1, outChannels]);
  });
  return graph.transpose(concat(graph, products, 2), [1, 2, 0, 3]);
}
