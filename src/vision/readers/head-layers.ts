/** @file Attention that a foreign graph spells in single nodes: what each of its heads adds, as a layer. */
import type { GraphBuilder } from '../layers/graph.js';
import type { Importer } from './importer.js';
import { type ForeignValue, isConstant, type NodeValue } from './values.js';

/** Operations that only move what attention gave. */
const moving: ReadonlySet<string> = new Set(['reshape', 'transpose', 'squeeze']);

/** Adds the layer `name`, the norm of what each head adds, where `x` are the heads side by side that `kernel` projects. */
export function addHeadsLayer(importer: Importer, x: ForeignValue, kernel: ForeignValue, name: string): void {
  if (x.kind !== 'node' || !isConstant(kernel) || importer.shape(kernel).length !== 2) return;
  const heads = headsOf(importer, x);
  if (heads === undefined) return;
  const op = { kind: 'head norms', heads, kernel: importer.weight(kernel, 'the projection') } as const;
  const norms = importer.graph.add(op, importer.asPlain(x));
  const { node, cls } = importer.view(importer.plain(norms, ['b', 'p', 'c']));
  importer.graph.layer(name, node, 'norm of each head', cls);
}

/** How many heads tokens [batch, token, head * dHead] were joined from; undefined where they were not. */
function headsOf(importer: Importer, { node, before, order }: NodeValue): number | undefined {
  const [batch, count, heads, width, ...more] = before?.shape ?? [];
  if (order.length !== 3 || width === undefined || more.length > 0) return undefined;
  if (`${importer.graph.shape(node)}` !== `${[batch, count, heads! * width]}`) return undefined;
  const product = importer.graph.op(moved(importer.graph, node));
  if (product.op.kind !== 'matmul') return undefined;
  const pattern = importer.graph.op(moved(importer.graph, product.inputs[0]!));
  return pattern.op.kind === 'softmax' ? heads : undefined;
}

/** What a node moves. */
function moved(graph: GraphBuilder, node: number): number {
  const { op, inputs } = graph.op(node);
  return moving.has(op.kind) ? moved(graph, inputs[0]!) : node;
}
