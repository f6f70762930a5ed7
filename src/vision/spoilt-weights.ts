/** @file Weights that hold NaN or infinity: which units they spoil, and the network for the others. */
import { onceEach } from '../core/once.js';
import { firstNonFinite } from '../engine/weights/finite.js';
import type { WeightSource } from '../engine/weights/weights.js';
import type { UsedParam } from './layers/evaluate.js';
import type { Param } from './layers/params.js';
import type { VisionNetwork, Wanted } from './network.js';

export interface SoundNetwork {
  /** For each unit the weight that spoils it; undefined for a sound one. */
  readonly spoiltBy: readonly (string | undefined)[];
  /** With zeros for what is not finite: a sound unit does not depend on it, and its gradient then neither. */
  readonly network: VisionNetwork;
}

/** @param units - by unit, what is computed for it */
export function soundNetwork(network: VisionNetwork, units: readonly (readonly Wanted[])[]): SoundNetwork {
  const all = network.parameters(units.flat());
  const spoilt = new Map<string, readonly number[]>();
  for (const name of new Set(all.map(({ param }) => param.name))) {
    const places = spoiltPlaces(network.weights)(name);
    if (places.length > 0) spoilt.set(name, places);
  }
  if (spoilt.size === 0) return { spoiltBy: units.map(() => undefined), network };
  const isSpoilt = ({ param, channels }: UsedParam): boolean => {
    const places = spoilt.get(param.name);
    if (!places || !channels) return places !== undefined;
    const used = new Set(channels);
    const channelAt = channelsOf(param, network.weights.shape(param.name));
    return places.some((place) => used.has(channelAt(place)));
  };
  return {
    spoiltBy: units.map((wanted) => network.parameters(wanted).find(isSpoilt)?.param.name),
    network: network.withWeights(new ZeroedWeights(network.weights)),
  };
}

/** What was found of weights that were read: the arrays of a source do not change. */
const spoiltPlaces = onceEach(
  (weights: WeightSource) => onceEach((name: string) => notFinite(weights.read(name))),
  new WeakMap(),
);

/** Indices of what is not finite. */
function notFinite(values: Float32Array): readonly number[] {
  if (firstNonFinite(values) === undefined) return [];
  return [...values.keys()].filter((i) => !Number.isFinite(values[i]!));
}

/** Where an entry of the file's array lies along the last axis of the parameter. */
function channelsOf({ steps, shape }: Param, stored: readonly number[]): (place: number) => number {
  return (place) => {
    let at = place;
    let dims = stored;
    for (const step of steps) {
      if ('reshape' in step) {
        dims = step.reshape;
        continue;
      }
      const coordinates = dims.map(() => 0);
      for (let axis = dims.length - 1; axis >= 0; axis--) {
        coordinates[axis] = at % dims[axis]!;
        at = Math.floor(at / dims[axis]!);
      }
      if ('reverse' in step) {
        const last = dims.length - 1;
        if (step.reverse.includes(last)) at += dims[last]! - 1 - 2 * coordinates[last]!;
        continue;
      }
      at = step.transpose.reduce((sum, axis) => sum * dims[axis]! + coordinates[axis]!, 0);
      dims = step.transpose.map((axis) => dims[axis]!);
    }
    return at % shape.at(-1)!;
  };
}

class ZeroedWeights implements WeightSource {
  constructor(private readonly source: WeightSource) {}

  get names(): readonly string[] {
    return this.source.names;
  }

  shape(name: string): readonly number[] {
    return this.source.shape(name);
  }

  read(name: string): Float32Array {
    const values = this.source.read(name);
    return firstNonFinite(values) === undefined
      ? values
      : values.map((value) => (Number.isFinite(value) ? value : 0));
  }
}
