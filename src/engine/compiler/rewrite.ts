/** @file Changing a graph after the trace, when it is known what is used of each value. */
import type { Graph, GraphNode, Traced, Value } from './graph.js';
import { reachable } from './reachable.js';

/** What stands in a node's place: its outputs' replacements, or undefined to leave it. */
export type Rewriting = (
  node: GraphNode,
  /** The node's inputs, rewritten already. */
  inputs: readonly (Value | null)[],
) => readonly Value[] | undefined;

/** Applies a rule to every node that the outputs need, in order of computation. */
export function rewrite({ graph, outputs }: Traced, rule: Rewriting): Traced {
  const replaced = new Map<Value, Value>();
  const current = (value: Value) => replaced.get(value) ?? value;
  for (const node of reachable(Object.values(outputs)).nodes) {
    const inputs = node.inputs.map((input) => input && current(input));
    const results = rule(node, inputs) ?? rebuilt(graph, node, inputs);
    for (const [i, output] of node.outputs.entries())
      if (results[i] && results[i] !== output) replaced.set(output, results[i]);
  }
  const entries = Object.entries(outputs).map(([name, value]) => [name, current(value)] as const);
  return { graph, outputs: Object.fromEntries(entries) };
}

function rebuilt(graph: Graph, node: GraphNode, inputs: readonly (Value | null)[]): readonly Value[] {
  if (inputs.every((input, i) => input === node.inputs[i])) return node.outputs;
  return graph.nodes(node.op, inputs, node.outputs, node.attributes);
}
