/** @file Arrays of a network that a file holds in another form. */
import type { WeightSource } from '../../../engine/weights/weights.js';

export interface Presented {
  readonly shape: readonly number[];
  read(): Float32Array;
}

/** A file's arrays and further ones, which may be in place of some. */
export function withArrays(source: WeightSource, further: ReadonlyMap<string, Presented>): WeightSource {
  const { halves } = source;
  return {
    names: [...new Set([...source.names, ...further.keys()])],
    shape: (name) => further.get(name)?.shape ?? source.shape(name),
    read: (name) => further.get(name)?.read() ?? source.read(name),
    halves: halves && {
      ...halves,
      type: (name) => (further.has(name) ? undefined : halves.type(name)),
    },
  };
}
