/** @file What of a graph its outputs need. */
import type { GraphNode, Value } from './graph.js';

/** All nodes the outputs need, in order of computation. */
export function reachable(outputs: readonly Value[]): { nodes: GraphNode[]; leaves: Value[] } {
  const values = new Set<Value>();
  const stack = [...outputs];
  while (stack.length > 0) {
    const value = stack.pop()!;
    if (values.has(value)) continue;
    values.add(value);
    if (value.source.kind === 'node')
      for (const input of value.source.node.inputs) if (input) stack.push(input);
  }
  // Ids grow in order of creation, and a value is made after what it depends on.
  const ordered = [...values].sort((a, b) => a.id - b.id);
  const nodes = new Set<GraphNode>();
  for (const { source } of ordered) if (source.kind === 'node') nodes.add(source.node);
  return { nodes: [...nodes], leaves: ordered.filter(({ source }) => source.kind !== 'node') };
}

/** The values that some weight enters and no input does. */
export function dependsOnWeightsAlone(outputs: readonly Value[]): Set<Value> {
  const constant = new Set<Value>();
  const fixed = new Set<Value>();
  const { nodes, leaves } = reachable(outputs);
  for (const leaf of leaves) {
    if (leaf.source.kind === 'weight') fixed.add(leaf);
    else if (leaf.source.kind !== 'input') constant.add(leaf);
  }
  for (const node of nodes) {
    const inputs = node.inputs.filter((input) => input !== null);
    if (inputs.length > 0 && inputs.every((input) => constant.has(input)))
      for (const output of node.outputs) constant.add(output);
    else if (inputs.every((input) => constant.has(input) || fixed.has(input)))
      for (const output of node.outputs) fixed.add(output);
  }
  return fixed;
}
