/** @file Nodes between convolutions, computed with bytes. */
import { type Graph, type GraphNode, madeBy, type Value } from '../graph.js';
import { ints } from '../parts.js';
import { pad, slice } from '../rules/shape.js';
import { byte, inBytes, type Rough } from './rough.js';

/** The same as the gradient of no picture. */
const ungated = ({ gatedBy: _, ...x }: Rough): Rough => x;

/** x where a picture is positive, else zero: the gradient of its ReLU. */
export function gated(graph: Graph, x: Rough, gate: Rough): Rough {
  if (x.gatedBy === gate.bytes) return x;
  const isOpen = graph.elementwise('Greater', [gate.bytes, byte(graph, gate.zero)], 'bool');
  return {
    ...ungated(x),
    bytes: graph.elementwise('Where', [isOpen, x.bytes, byte(graph, x.zero)], 'uint8'),
  };
}

export function roughRelu(graph: Graph, x: Rough): Rough {
  if (x.zero === 0) return x;
  return { ...ungated(x), bytes: graph.elementwise('Max', [x.bytes, byte(graph, x.zero)]) };
}

export function roughMaxPool(graph: Graph, { attributes, outputs }: GraphNode, x: Rough): Rough {
  const [batch, channel, height, width] = outputs[0]!.shape as [number, number, number, number];
  const bytes = graph.node('NhwcMaxPool', [x.bytes], [batch, height, width, channel], 'uint8', attributes);
  return { ...ungated(x), bytes };
}

/** Whether a pool's windows lie side by side from the first pixel on. */
export function liesSideBySide({ attributes }: GraphNode): boolean {
  return (
    `${attributes.kernel_shape}` === `${attributes.strides}` &&
    (attributes.pads as readonly number[]).every((pad) => pad === 0)
  );
}

/**
 * The gradient of a max pool whose windows lie side by side: what is as large as its maximum gets the maximum's gradient, also
 * where that is more than one byte, and nothing does where the maximum is not positive.
 */
export function roughUnpool(graph: Graph, pool: GraphNode, dy: Rough, x: Rough): Rough {
  const maxima = roughMaxPool(graph, pool, x);
  const [high, wide] = pool.attributes.kernel_shape as [number, number];
  const [batch, height, width, channel] = maxima.bytes.shape as [number, number, number, number];
  // Pixels behind the last window are in none.
  const pooled = [batch, height * high, width * wide, channel];
  const windows = [batch * height, high, width, wide, channel];
  const whole = graph.reshape(slice(graph, x.bytes, [0, 0, 0, 0], pooled), windows);
  const once = (bytes: Value) => graph.reshape(bytes, [batch * height, 1, width, 1, channel]);
  const isMaximum = graph.node('Equal', [whole, once(maxima.bytes)], windows, 'bool');
  const kept = gated(graph, dy, maxima);
  const spread = graph.node('Where', [isMaximum, once(kept.bytes), byte(graph, dy.zero)], windows, 'uint8');
  const behind = x.bytes.shape.map((dim, axis) => [0, dim - pooled[axis]!] as const);
  const bytes = pad(graph, graph.reshape(spread, pooled), behind, dy.zero);
  return { ...dy, bytes, gatedBy: x.bytes };
}

/** A part of a picture in steps of one, or undefined. */
export function roughSlice(graph: Graph, node: GraphNode, x: Rough): Rough | undefined {
  const [starts, , axes, steps] = node.inputs.slice(1).map((input) => ints(input!));
  if (steps!.some((step) => step !== 1)) return undefined;
  const { shape } = node.outputs[0]!;
  const from = shape.map((_, axis) => starts![axes!.indexOf(axis)] ?? 0);
  return { ...ungated(x), bytes: slice(graph, x.bytes, inBytes(from), inBytes(shape)) };
}

/** A picture with zeros around it, or undefined. */
export function roughPad(graph: Graph, node: GraphNode, x: Rough): Rough | undefined {
  const fill = node.inputs[2]?.source;
  const pads = ints(node.inputs[1]!);
  if (node.attributes.mode !== 'constant' || fill?.kind !== 'splat' || fill.value !== 0) return undefined;
  const paddings = [0, 1, 2, 3].map((axis) => [pads[axis]!, pads[4 + axis]!] as const);
  return { ...ungated(x), bytes: pad(graph, x.bytes, inBytes(paddings), x.zero) };
}

/** What a product is of and its gate, where one factor is 1 where something is positive and else 0. */
export function gateOf(product: readonly Value[]): { x: Value; gate: Value } | undefined {
  for (const [x, gate] of [product, [...product].reverse()] as [Value, Value][]) {
    const { inputs, attributes } = madeBy(gate, 'HardSigmoid') ?? {};
    const slope = attributes?.alpha as { f: number } | undefined;
    if (inputs && slope && slope.f >= 1e20) return { x, gate: inputs[0]! };
  }
  return undefined;
}
