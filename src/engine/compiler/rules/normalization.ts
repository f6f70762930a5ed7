/** @file Batch norm with fixed moments, and local response normalization. */
import type { Graph, Value } from '../graph.js';
import { add, multiply } from './elementwise.js';
import type { Rules } from './kernels.js';
import { nchw, nhwc, shape4 } from './layout.js';

type LrnAttributes = { depthRadius: number; bias: number; alpha: number; beta: number };

/** bias + alpha * sum of v over neighbouring channels, NCHW. */
function channelWindow(graph: Graph, v: Value, radius: number): Value {
  const [batch, channel, height, width] = shape4(v);
  const size = 2 * radius + 1;
  const column = graph.reshape(v, [batch, 1, channel, height * width]);
  const mean = graph.node('AveragePool', [column], column.shape, v.dtype, {
    kernel_shape: [size, 1],
    pads: [radius, 0, radius, 0],
    count_include_pad: 1,
  });
  return multiply(graph, graph.reshape(mean, v.shape), graph.splat(size, [], 'float32'));
}

function lrnScale(graph: Graph, x: Value, { depthRadius, bias, alpha }: LrnAttributes): Value {
  const energy = channelWindow(graph, multiply(graph, x, x), depthRadius);
  return add(
    graph,
    multiply(graph, energy, graph.splat(alpha, [], 'float32')),
    graph.splat(bias, [], 'float32'),
  );
}

const power = (graph: Graph, x: Value, exponent: number) =>
  graph.elementwise('Pow', [x, graph.splat(exponent, [], 'float32')]);

export const normalizationRules = {
  FusedBatchNorm: (graph, { x, scale, offset, mean, variance }, { varianceEpsilon }) => {
    const steady = add(graph, variance, graph.splat(varianceEpsilon, [], 'float32'));
    const gain = graph.elementwise('Div', [scale, graph.unary('Sqrt', steady)]);
    const shift = graph.elementwise('Sub', [offset, graph.elementwise('Mul', [mean, gain])]);
    return graph.elementwise('Add', [graph.elementwise('Mul', [x, gain]), shift]);
  },
  LRN: (graph, { x }, a) => {
    const image = nchw(graph, x);
    return nhwc(graph, graph.elementwise('Mul', [image, power(graph, lrnScale(graph, image, a), -a.beta)]));
  },
  LRNGrad: (graph, { x, dy }, a) => {
    // y = x s^-beta with s = bias + alpha sum x^2
    const [image, gradient] = [nchw(graph, x), nchw(graph, dy)];
    const scale = lrnScale(graph, image, a);
    const direct = graph.elementwise('Mul', [gradient, power(graph, scale, -a.beta)]);
    const shared = channelWindow(
      graph,
      graph.elementwise('Mul', [
        graph.elementwise('Mul', [gradient, image]),
        power(graph, scale, -a.beta - 1),
      ]),
      a.depthRadius,
    );
    const indirect = multiply(
      graph,
      graph.elementwise('Mul', [image, shared]),
      graph.splat(2 * a.alpha * a.beta, [], 'float32'),
    );
    return nhwc(graph, graph.elementwise('Sub', [direct, indirect]));
  },
} satisfies Partial<Rules>;
