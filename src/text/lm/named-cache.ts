/** @file A key-value cache as inputs and outputs of graphs. */
import type { Resident } from '../../engine/compile.js';
import type * as tf from '../../engine/functions/tfjs.js';
import { leadOf, type TransformerSpec, tailOf } from './spec.js';

export type CacheEntries = Record<string, Resident>;

/** Names of the entries of a cache as inputs and outputs of a graph. */
export function cacheNames(spec: TransformerSpec): string[] {
  return Array.from({ length: spec.layers }, (_, layer) => [`keys${layer}`, `values${layer}`]).flat();
}

/** Keys or values of one layer, for so many sequences and what is read around them. */
export const cacheShape = (spec: TransformerSpec, batch: number, positions: number): number[] => [
  batch,
  spec.kvHeads,
  leadOf(spec).length + positions + tailOf(spec).length,
  spec.dHead,
];

/** A cache under the names of `cacheNames`. */
export function namedCache({
  keys,
  values,
}: {
  keys: readonly tf.Tensor[];
  values: readonly tf.Tensor[];
}): Record<string, tf.Tensor> {
  return Object.fromEntries(
    keys.flatMap((key, layer) => [
      [`keys${layer}`, key],
      [`values${layer}`, values[layer]!],
    ]),
  );
}

/** Entries may be one array. */
export function releaseCache(cache: CacheEntries): void {
  for (const entry of new Set(Object.values(cache))) entry.release();
}
