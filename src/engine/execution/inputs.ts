/** @file Checking what a caller feeds. */

import { type DType, sameShape, sizeOf, type TensorSpec, type TypedArray } from '../tensor-spec.js';
import type { Resident, RunInput } from '../types.js';

export const arrayTypes = { float32: Float32Array, int32: Int32Array, bool: Uint8Array } as const;

export function isResident(input: RunInput): input is Resident {
  return !Array.isArray(input) && 'release' in input;
}

/** The input as an array of the declared type. Throws when its size or shape is another. */
export function checkedInput(
  name: string,
  spec: TensorSpec,
  input: RunInput | undefined,
): TypedArray | Resident {
  if (input === undefined) throw new Error(`the input "${name}" is missing`);
  if (isResident(input)) {
    if (!sameShape(input.shape, spec.shape))
      throw new Error(`the input "${name}" has shape [${input.shape}], not [${spec.shape}]`);
    return input;
  }
  const size = sizeOf(spec.shape);
  if (input.length !== size)
    throw new Error(`the input "${name}" has ${input.length} elements, not the ${size} of [${spec.shape}]`);
  const type = arrayTypes[spec.dtype ?? 'float32'];
  return input instanceof type ? input : type.from(input as ArrayLike<number>);
}

export function specOf(dtype: DType, shape: readonly number[]): Required<TensorSpec> {
  return { dtype, shape };
}
