/** @file Weights that are no numbers: found where they are read, before they spoil everything that is computed. */
import { UserError } from '../../core/errors.js';
import type { WeightSource } from './weights.js';

/** A float32 whose exponent bits are all set is NaN or infinite. */
const EXPONENT = 0x7f800000;

/** Index of the first element that is NaN or infinite; undefined when all are finite. About a nanosecond an element. */
export function firstNonFinite({ buffer, byteOffset, length }: Float32Array): number | undefined {
  const bits = new Uint32Array(buffer, byteOffset, length);
  for (let i = 0; i < length; i++) if ((bits[i]! & EXPONENT) === EXPONENT) return i;
  return undefined;
}

/** Reads a weight. Throws UserError when it holds NaN or infinity. */
export function readFinite(source: WeightSource, name: string): Float32Array {
  const data = source.read(name);
  const at = firstNonFinite(data);
  if (at === undefined) return data;
  const value = Number.isNaN(data[at]) ? 'NaN' : 'infinity';
  throw new UserError(
    `the weight "${name}" holds ${value} (element ${at} of ${data.length}): ` +
      'the file is damaged or its training diverged; use another copy or an earlier checkpoint',
  );
}
