/**
 * @file What each place of a filter sees of a batch of pictures: the gradient of a filter is a product with it, and so are convolutions
 * of small pictures. ONNX Runtime takes one product a picture, of as many columns as it has pixels, and reads filters in another order.
 */
import type { Graph, Value } from '../graph.js';
import { type ConvInfo, type Shape4, shape4 } from './layout.js';
import { concat, slice } from './shape.js';

/** Pixels of a result up to which one product for a batch is faster. */
const FEW_PIXELS = 16;

/** How a filter is moved over pictures. */
export interface Windows {
  readonly filter: readonly [height: number, width: number];
  readonly strides: readonly [number, number];
  /** Before the picture and after it. */
  readonly rows: readonly [number, number];
  readonly columns: readonly [number, number];
  readonly out: readonly [height: number, width: number];
}

export const windowsOf = (info: ConvInfo): Windows => ({
  filter: [info.filterHeight, info.filterWidth],
  strides: [info.strideHeight, info.strideWidth],
  rows: [info.padInfo.top, info.padInfo.bottom],
  columns: [info.padInfo.left, info.padInfo.right],
  out: [info.outHeight, info.outWidth],
});

export const isSmall = ({ out: [height, width] }: Windows): boolean => height * width <= FEW_PIXELS;

/** Whether a convolution is one product for the batch: of small pictures, with a filter that is fed, as those are that are trained. */
export function isOneProduct(filter: Value, windows: Windows, info: ConvInfo): boolean {
  const isPlain = info.dilationHeight === 1 && info.dilationWidth === 1;
  return filter.source.kind === 'input' && isPlain && isSmall(windows);
}

/**
 * @param x - [batch, height, width, channel]
 * @returns for each place of the filter, row by row, what it sees: [batch * out height * out width, channel]
 */
export function seenByPlaces(
  graph: Graph,
  x: Value,
  { filter, strides, rows, columns, out }: Windows,
): Value[] {
  const [batch, height, width, channels] = shape4(x);
  const [[top, bottom], [left, right], [outHeight, outWidth]] = [rows, columns, out];
  const shape = [batch, height + top + bottom, width + left + right, channels];
  const ends = graph.ints([0, top, left, 0, 0, bottom, right, 0]);
  const inputs = [x, ends, graph.splat(0, [], x.dtype)];
  const padded = graph.node('Pad', inputs, shape, x.dtype, { mode: 'constant' });
  const size = [batch, outHeight, outWidth, channels];
  return Array.from({ length: filter[0] * filter[1] }, (_, place) => {
    const [i, j] = [Math.floor(place / filter[1]), place % filter[1]];
    const seen = slice(graph, padded, [0, i, j, 0], size, [1, ...strides, 1]);
    return graph.reshape(seen, [batch * outHeight * outWidth, channels]);
  });
}

/**
 * A convolution as one product.
 *
 * @param x - [batch, height, width, channel]
 * @param filter - [height, width, channel, out channel]
 * @returns [batch, out height, out width, out channel]
 */
export function convAsProduct(graph: Graph, x: Value, filter: Value, windows: Windows): Value {
  const [height, width, channels, outChannels] = filter.shape as Shape4;
  const seen = concat(graph, seenByPlaces(graph, x, windows), 1);
  const matrix = graph.reshape(filter, [height * width * channels, outChannels]);
  const product = graph.node('Gemm', [seen, matrix], [seen.shape[0]!, outChannels], x.dtype, {
    transA: 0,
    transB: 0,
  });
  return graph.reshape(product, [x.shape[0]!, ...windows.out, outChannels]);
}
