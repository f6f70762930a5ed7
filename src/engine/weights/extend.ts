/** @file Several sources of weights as one. */
import { ownerOf, type WeightSource } from './weights.js';

/**
 * A network's weights with arrays of others beside them (a direction, rows of a dictionary), for functions that look both
 * up. Engines keep the arrays together with the network's own: what was sent for one function is there for all.
 *
 * @param others - whose names no other source may have: each name always means the same array
 */
export function extendWeights(network: WeightSource, others: readonly WeightSource[]): WeightSource {
  if (others.length === 0) return network;
  const brought = new Map(others.flatMap((source) => source.names.map((name) => [name, source] as const)));
  const holder = (name: string) => brought.get(name) ?? network;
  const { halves } = network;
  return {
    names: [...network.names, ...brought.keys()],
    shape: (name) => holder(name).shape(name),
    read: (name) => holder(name).read(name),
    halves: halves && {
      ...halves,
      type: (name) => (brought.has(name) ? undefined : halves.type(name)),
    },
    extends: ownerOf(network),
  };
}
