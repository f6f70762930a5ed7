/** @file How much memory a graph works in. */

import { type GraphDType, sizeOf } from '../tensor-spec.js';
import { type GraphNode, type Traced, type Value, withoutReshape } from './graph.js';
import { opTable } from './op-table.js';
import { dependsOnWeightsAlone, reachable } from './reachable.js';

const BYTES: Readonly<Record<GraphDType, number>> = {
  float32: 4,
  int32: 4,
  int64: 8,
  int8: 1,
  uint8: 1,
  float16: 2,
  bool: 1,
};

/**
 * Bytes of the arrays that are there at the same time, at most, where each is made in order of computation and goes
 * after its last use. What is fed does not count.
 */
export function workingMemory({ outputs }: Traced): number {
  const results = Object.values(outputs);
  const fed = dependsOnWeightsAlone(results);
  const nodes = reachable(results).nodes.filter(
    ({ op, outputs }) => !opTable[op].isView && !fed.has(outputs[0]!),
  );
  const kept = new Set(results.map(withoutReshape));
  /** Where arrays that are made here are used last. */
  const lastUse = new Map<Value, GraphNode>();
  for (const node of nodes)
    for (const input of node.inputs) {
      const array = input && withoutReshape(input);
      if (array?.source.kind === 'node' && !fed.has(array) && !kept.has(array)) lastUse.set(array, node);
    }
  const ending = new Map<GraphNode, number>();
  for (const [array, node] of lastUse) ending.set(node, (ending.get(node) ?? 0) + bytes(array));
  let [now, most] = [0, 0];
  for (const node of nodes) {
    for (const array of node.outputs) now += bytes(array);
    most = Math.max(most, now);
    now -= ending.get(node) ?? 0;
  }
  return most;
}

const bytes = ({ shape, dtype }: Value) => BYTES[dtype] * sizeOf(shape);
