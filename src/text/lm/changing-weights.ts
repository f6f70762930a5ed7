/** @file Weights that are arguments of a graph. */
import type { Resident } from '../../engine/compile.js';
import type * as tf from '../../engine/functions/tfjs.js';
import type { WeightLookup } from '../../engine/weights/weights.js';

/** Weights that change between calls, without compiling anew: made of arrays that are arguments of the graph. */
export interface ChangingWeights {
  /** Shapes of the arrays, by name. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** The arrays of this moment. */
  current(): ReadonlyMap<string, Resident>;
  /** The model's weights, given the arrays and the weights that stay. */
  lookup(arrays: WeightLookup, frozen: WeightLookup): WeightLookup;
}

const inputName = (array: string) => `changing ${array}`;

/** Specifications of the arguments. */
export function changingInputs(
  changing: ChangingWeights | undefined,
): Record<string, { shape: readonly number[] }> {
  return Object.fromEntries(
    [...(changing?.shapes ?? [])].map(([name, shape]) => [inputName(name), { shape }]),
  );
}

/** Values of the arguments. */
export function currentArrays(changing: ChangingWeights | undefined): Record<string, Resident> {
  const arrays = changing?.current();
  return Object.fromEntries(
    [...(changing?.shapes.keys() ?? [])].map((name) => [inputName(name), arrays!.get(name)!]),
  );
}

/** The model's weights, with those that change as arguments. */
export function withArguments(
  changing: ChangingWeights | undefined,
  inputs: Record<string, tf.Tensor>,
  frozen: WeightLookup,
): WeightLookup {
  return changing ? changing.lookup((name) => inputs[inputName(name)]!, frozen) : frozen;
}
