/** @file Named parameters of a network: what every model is a function of. */
import type { Tensor } from '@tensorflow/tfjs-core';
import { UserError } from '../../core/errors.js';

/** How a model function asks for a parameter. Only what is asked for is read and enters a graph. */
export type WeightLookup = (name: string) => Tensor;

/** One array of parameters; float32 whatever it was on disk. */
export interface WeightArray {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Floats of two bytes. */
export type HalfType = 'float16' | 'bfloat16';

/** Arrays that are stored in half precision. */
export interface HalfWeights {
  /** Whether an engine should keep them so, in half the memory, and widen them each time it computes with them. */
  readonly stay: boolean;
  /** Undefined for an array that is not; always the same for a name. */
  type(name: string): HalfType | undefined;
  /** The bits of an array that has a type here, the caller's to keep. `read` gives the same values. */
  read(name: string): Uint16Array;
}

/** Where parameters come from; `read` may touch the disk and is called at most once a name and engine. */
export interface WeightSource {
  readonly names: readonly string[];
  /** Throws UserError for an unknown name. */
  shape(name: string): readonly number[];
  /** The array, the caller's to keep (the engine hands it over to its thread). */
  read(name: string): Float32Array;
  /** Undefined where no array is stored in half precision. */
  readonly halves?: HalfWeights | undefined;
  /** The source under which engines keep these arrays, where it is another: see `extendWeights`. */
  readonly extends?: WeightSource;
}

/** The source under which an engine keeps a source's arrays. */
export const ownerOf = (source: WeightSource): WeightSource => source.extends ?? source;

/**
 * Parameters kept in memory: trained here, made by a formula, or loaded at once.
 */
export class MemoryWeights implements WeightSource {
  constructor(private readonly arrays: ReadonlyMap<string, WeightArray>) {}

  get names(): string[] {
    return [...this.arrays.keys()];
  }

  shape(name: string): readonly number[] {
    return this.get(name).shape;
  }

  read(name: string): Float32Array {
    return this.get(name).data.slice();
  }

  private get(name: string): WeightArray {
    const array = this.arrays.get(name);
    if (!array) throw new UserError(`the model has no weight named "${name}"`);
    return array;
  }
}
