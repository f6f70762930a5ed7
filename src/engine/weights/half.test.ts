import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bf16FromFloat32, f16FromFloat32, float32FromBf16, float32FromF16 } from './half.js';

const everyPattern = Uint16Array.from({ length: 0x10000 }, (_, i) => i);

/** The definition: sign * 2^(exponent - 15) * 1.mantissa. */
function f16Value(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return exponent ? sign * 2 ** (exponent - 15) * (1 + mantissa / 1024) : (sign * mantissa) / 2 ** 24;
}

/** The nearest of two neighbouring patterns, or both when the value lies halfway. */
function expectNearest(value: number, bits: number, widen: (half: Uint16Array) => Float32Array) {
  const at = (pattern: number) => widen(Uint16Array.of(pattern))[0]!;
  const error = Math.abs(at(bits) - value);
  for (const neighbour of [bits - 1, bits + 1]) {
    if ((neighbour & 0x7fff) === 0x7fff || neighbour < 0 || !Number.isFinite(at(neighbour))) continue;
    const other = Math.abs(at(neighbour) - value);
    expect(other).toBeGreaterThanOrEqual(error);
    if (other === error) expect(bits & 1).toBe(0);
  }
}

describe('f16', () => {
  it('widens every bit pattern to its value', () => {
    expect(float32FromF16(everyPattern)).toEqual(Float32Array.from(everyPattern, f16Value));
  });

  it('narrows every widened pattern back to itself, NaNs to a NaN', () => {
    const back = f16FromFloat32(float32FromF16(everyPattern));
    const isNumber = (bits: number) => !Number.isNaN(f16Value(bits));
    expect(back.filter((_, bits) => isNumber(bits))).toEqual(everyPattern.filter(isNumber));
    expect(everyPattern.filter((bits) => !isNumber(bits) && isNumber(back[bits]!))).toHaveLength(0);
  });

  it('narrows to the nearest value, ties to even', () => {
    const value = fc.oneof(
      fc.float({ noNaN: true, min: -65504, max: 65504 }),
      fc.float({ noNaN: true, min: Math.fround(-1e-4), max: Math.fround(1e-4) }),
    );
    fc.assert(
      fc.property(value, (x) => expectNearest(x, f16FromFloat32(Float32Array.of(x))[0]!, float32FromF16)),
      { numRuns: 2000 },
    );
  });

  it('rounds halfway values to the even neighbour and overflows to infinity', () => {
    const halfway = [
      1 + 2 ** -11,
      1 + 3 * 2 ** -11,
      2 ** -25,
      3 * 2 ** -25,
      2 ** -26,
      65519.99,
      65520,
      -1e10,
    ];
    const narrowed = f16FromFloat32(Float32Array.from(halfway));
    expect([...narrowed]).toEqual([0x3c00, 0x3c02, 0, 2, 0, 0x7bff, 0x7c00, 0xfc00]);
  });
});

describe('bf16', () => {
  it('widens to the upper half of a float', () => {
    const wide = float32FromBf16(everyPattern);
    const bits = new Uint32Array(wide.buffer);
    expect(Uint16Array.from(bits, (x) => x >>> 16)).toEqual(everyPattern);
    expect(wide[0x3f80]).toBe(1);
    expect(wide[0xc040]).toBe(-3);
  });

  it('narrows every widened pattern back to itself, NaNs to a NaN', () => {
    const wide = float32FromBf16(everyPattern);
    const back = bf16FromFloat32(wide);
    const again = float32FromBf16(back);
    const isNumber = (half: number) => !Number.isNaN(wide[half]!);
    expect(back.filter((_, bits) => isNumber(bits))).toEqual(everyPattern.filter(isNumber));
    expect(everyPattern.filter((half) => !isNumber(half) && !Number.isNaN(again[half]!))).toHaveLength(0);
  });

  it('narrows to the nearest value, ties to even', () => {
    const value = fc.float({ noNaN: true, min: Math.fround(-3e38), max: Math.fround(3e38) });
    fc.assert(
      fc.property(value, (x) => expectNearest(x, bf16FromFloat32(Float32Array.of(x))[0]!, float32FromBf16)),
      { numRuns: 2000 },
    );
    expect([...bf16FromFloat32(Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8))]).toEqual([0x3f80, 0x3f82]);
  });
});
