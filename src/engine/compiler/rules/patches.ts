/**
 * @file What a filter sees of a batch of pictures, as one matrix: the gradient of a filter is a product with it, and so are convolutions
 * of small pictures. ONNX Runtime takes one product a picture, of as many columns as it has pixels, and reads filters in another order.
 */
import type { Graph, Value } from '../graph.js';
import { type ConvInfo, type Shape4, shape4 } from './layout.js';
import { matrixProduct } from './linear.js';
import { gather, NO_PADDING, padHere } from './shape.js';

/** Pixels of a result up to which one product for a batch is faster. */
const FEW_PIXELS = 64;

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

/** Whether a filter is fed, as those are that are trained. */
export const isTrained = ({ source }: Value): boolean => source.kind === 'input';

/** Whether a convolution is one product for the batch: of small pictures, with a filter that is trained. */
export function isOneProduct(filter: Value, windows: Windows, info: ConvInfo): boolean {
  const isPlain = info.dilationHeight === 1 && info.dilationWidth === 1;
  return isTrained(filter) && isPlain && isSmall(windows);
}

/** For each pixel of the result and each place of the filter, the pixel that is seen, row by row; `outside` for padding. */
function seenPixels(
  height: number,
  width: number,
  { filter, strides, rows, columns, out }: Windows,
  outside: number,
) {
  const seen: number[] = [];
  for (let y = 0; y < out[0]; y++)
    for (let x = 0; x < out[1]; x++)
      for (let i = 0; i < filter[0]; i++)
        for (let j = 0; j < filter[1]; j++) {
          const [row, column] = [y * strides[0] + i - rows[0], x * strides[1] + j - columns[0]];
          const isInside = row >= 0 && row < height && column >= 0 && column < width;
          seen.push(isInside ? row * width + column : outside);
        }
  return Int32Array.from(seen);
}

/**
 * @param x - [batch, height, width, channel]
 * @returns [batch * out height * out width, filter height * filter width * channel]
 */
export function seenByFilter(graph: Graph, x: Value, windows: Windows): Value {
  const [batch, height, width, channels] = shape4(x);
  const pixels = height * width;
  const seen = seenPixels(height, width, windows, pixels);
  const all = graph.reshape(x, [batch, pixels, channels]);
  const padded = seen.includes(pixels) ? padHere(graph, all, [NO_PADDING, [0, 1], NO_PADDING]) : all;
  const index = graph.constant(seen, [seen.length], 'int32');
  const [places, pixelsOut] = [windows.filter, windows.out].map(([height, width]) => height * width);
  return graph.reshape(gather(graph, padded, index, 1), [batch * pixelsOut!, places! * channels]);
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
  const seen = seenByFilter(graph, x, windows);
  const product = matrixProduct(
    graph,
    seen,
    graph.reshape(filter, [height * width * channels, outChannels]),
    false,
    false,
  );
  return graph.reshape(product, [x.shape[0]!, ...windows.out, outChannels]);
}
