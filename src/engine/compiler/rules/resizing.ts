/** @file Resizing and its gradients. */
import type { Attributes, Graph, Value } from '../graph.js';
import type { Rules } from './kernels.js';
import { nchw, nhwc, shape4 } from './layout.js';

type ResizeAttributes = { alignCorners: boolean; halfPixelCenters: boolean; size?: [number, number] };

function resize(
  graph: Graph,
  images: Value,
  mode: 'linear' | 'nearest',
  { alignCorners, halfPixelCenters, size }: ResizeAttributes,
): Value {
  const [batch, , , channel] = shape4(images);
  const shape = [batch, channel, ...size!];
  const coordinates = alignCorners ? 'align_corners' : halfPixelCenters ? 'half_pixel' : 'asymmetric';
  const attributes: Attributes = {
    mode,
    coordinate_transformation_mode: coordinates,
    ...(mode === 'nearest' && {
      nearest_mode: alignCorners || halfPixelCenters ? 'round_prefer_ceil' : 'floor',
    }),
  };
  return nhwc(
    graph,
    graph.node(
      'Resize',
      [nchw(graph, images), null, null, graph.ints(shape)],
      shape,
      images.dtype,
      attributes,
    ),
  );
}

/** Row i holds what output pixel i takes from each input pixel. [out, in] */
function resizeMatrix(
  input: number,
  output: number,
  mode: 'linear' | 'nearest',
  { alignCorners, halfPixelCenters }: ResizeAttributes,
) {
  const matrix = new Float32Array(output * input);
  const scale = alignCorners && output > 1 ? (input - 1) / (output - 1) : input / output;
  for (let i = 0; i < output; i++) {
    const exact = halfPixelCenters && !alignCorners ? (i + 0.5) * scale - 0.5 : i * scale;
    if (mode === 'nearest') {
      // TensorFlow rounds down what half-pixel centres point at; it shifts nothing back.
      const nearest = alignCorners
        ? Math.round(exact)
        : Math.floor(halfPixelCenters ? (i + 0.5) * scale : exact);
      matrix[i * input + Math.max(0, Math.min(input - 1, nearest))] = 1;
      continue;
    }
    const position = Math.max(0, Math.min(input - 1, exact));
    const low = Math.floor(position);
    const high = Math.min(low + 1, input - 1);
    matrix[i * input + low]! += 1 - (position - low);
    matrix[i * input + high]! += position - low;
  }
  return matrix;
}

/** Resizing is linear and separable, so its gradient is two products with transposed matrices. */
function resizeGrad(
  graph: Graph,
  images: Value,
  dy: Value,
  mode: 'linear' | 'nearest',
  attributes: ResizeAttributes,
): Value {
  const [batch, inHeight, inWidth, channel] = shape4(images);
  const [, outHeight, outWidth] = shape4(dy);
  const rows = graph.constant(
    resizeMatrix(inHeight, outHeight, mode, attributes),
    [outHeight, inHeight],
    'float32',
  );
  const columns = graph.constant(
    resizeMatrix(inWidth, outWidth, mode, attributes),
    [outWidth, inWidth],
    'float32',
  );
  const wide = graph.node(
    'MatMul',
    [graph.transpose(rows, [1, 0]), nchw(graph, dy)],
    [batch, channel, inHeight, outWidth],
    dy.dtype,
  );
  return nhwc(graph, graph.node('MatMul', [wide, columns], [batch, channel, inHeight, inWidth], dy.dtype));
}

export const resizingRules = {
  ResizeBilinear: (graph, { images }, a) => resize(graph, images, 'linear', a),
  ResizeBilinearGrad: (graph, { images, dy }, a) => resizeGrad(graph, images, dy, 'linear', a),
  ResizeNearestNeighbor: (graph, { images }, a) => resize(graph, images, 'nearest', a),
  ResizeNearestNeighborGrad: (graph, { images, dy }, a) => resizeGrad(graph, images, dy, 'nearest', a),
} satisfies Partial<Rules>;
