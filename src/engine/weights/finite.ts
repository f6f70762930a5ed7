/** @file Weights that are no numbers: found where they are read, before they spoil everything that is computed. */
import { UserError } from '../../core/errors.js';
import { float32FromBf16, float32FromF16 } from './half.js';
import type { HalfType, WeightSource } from './weights.js';

/** A float32 whose exponent bits are all set is NaN or infinite. */
const EXPONENT = 0x7f800000;

/** Index of the first element that is NaN or infinite; undefined when all are finite. About a nanosecond an element. */
export function firstNonFinite({ buffer, byteOffset, length }: Float32Array): number | undefined {
  const bits = new Uint32Array(buffer, byteOffset, length);
  for (let i = 0; i < length; i++) if ((bits[i]! & EXPONENT) === EXPONENT) return i;
  return undefined;
}

const halves = {
  float16: { exponent: 0x7c00, widen: float32FromF16 },
  bfloat16: { exponent: 0x7f80, widen: float32FromBf16 },
} as const satisfies Record<HalfType, unknown>;

/** The same of bits in half precision. */
export function firstNonFiniteHalf(bits: Uint16Array, type: HalfType): number | undefined {
  const { exponent } = halves[type];
  for (let i = 0; i < bits.length; i++) if ((bits[i]! & exponent) === exponent) return i;
  return undefined;
}

/** Reads a weight. Throws UserError when it holds NaN or infinity. */
export function readFinite(source: WeightSource, name: string): Float32Array {
  const data = source.read(name);
  const at = firstNonFinite(data);
  if (at !== undefined) throw notFinite(name, at, data.length, data[at]!);
  return data;
}

/** Reads the bits of a weight in half precision. Throws UserError as `readFinite`. */
export function readFiniteHalf({ halves: stored }: WeightSource, name: string, type: HalfType): Uint16Array {
  const bits = stored!.read(name);
  const at = firstNonFiniteHalf(bits, type);
  if (at !== undefined)
    throw notFinite(name, at, bits.length, halves[type].widen(bits.subarray(at, at + 1))[0]!);
  return bits;
}

function notFinite(name: string, at: number, length: number, value: number): UserError {
  return new UserError(
    `the weight "${name}" holds ${Number.isNaN(value) ? 'NaN' : 'infinity'} (element ${at} of ${length}): ` +
      'the file is damaged or its training diverged; use another copy or an earlier checkpoint',
  );
}
