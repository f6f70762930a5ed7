/** @file How much memory a graph works in. */
import {
  dependsOnWeightsAlone,
  type GraphNode,
  reachable,
  type Traced,
  type Value,
  withoutReshape,
} from './graph.js';
import { type GraphDType, sizeOf } from './tensor-spec.js';

const BYTES: Readonly<Record<GraphDType, number>> = { float32: 4, int32: 4, int64: 8, int8: 1, bool: 1 };

/**
 * Bytes of the arrays that are there at the same time, at most, where each is made in order of computation and goes
 * after its last use. What is fed does not count.
 */
export function workingMemory({ outputs }: Traced): number {
  const results = Object.values(outputs);
  const fed = dependsOnWeightsAlone(results);
  const nodes = reachable(results).nodes.filter((node) => !fed.has(node.outputs[0]!));
  const lastUse = new Map<Value, GraphNode>();
  for (const node of nodes)
    for (const input of node.inputs) if (input) lastUse.set(withoutReshape(input), node);
  const kept = new Set(results.map(withoutReshape));
  let [now, most] = [0, 0];
  for (const node of nodes) {
    if (node.op === 'Reshape') continue;
    for (const value of node.outputs) now += bytes(value);
    most = Math.max(most, now);
    for (const input of new Set(node.inputs.map((value) => value && withoutReshape(value))))
      if (input && lastUse.get(input) === node && !kept.has(input) && isMade(input, fed)) now -= bytes(input);
  }
  return most;
}

const bytes = ({ shape, dtype }: Value) => BYTES[dtype] * sizeOf(shape);

const isMade = (value: Value, fed: ReadonlySet<Value>) => value.source.kind === 'node' && !fed.has(value);
