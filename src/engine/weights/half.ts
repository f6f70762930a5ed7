/**
 * @file Half-precision floats: IEEE binary16 (f16) and bfloat16 (bf16), as their bit patterns in Uint16Arrays.
 *
 * Widening is exact. Narrowing rounds to nearest, ties to even; too large becomes infinity, NaN stays NaN.
 */

let f16Bits: Uint32Array | undefined;

/** The f32 bits of every f16 bit pattern: a look-up is several times faster than the arithmetic. */
function f16Table(): Uint32Array {
  if (f16Bits) return f16Bits;
  const bits = new Uint32Array(0x10000);
  const values = new Float32Array(bits.buffer);
  for (let half = 0; half < 0x10000; half++) {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 0x1f;
    const mantissa = half & 0x3ff;
    if (exponent === 0) {
      // Subnormal: mantissa * 2^-24, exact in f32.
      values[half] = mantissa * 2 ** -24;
      bits[half] = bits[half]! | sign;
    } else {
      // Rebias from 15 to 127; 31 (infinity, NaN) becomes 255.
      const wide = exponent === 31 ? 255 : exponent + 112;
      bits[half] = sign | (wide << 23) | (mantissa << 13);
    }
  }
  f16Bits = bits;
  return bits;
}

/** Widens f16 bit patterns to floats. */
export function float32FromF16(half: Uint16Array): Float32Array {
  const table = f16Table();
  const out = new Float32Array(half.length);
  const outBits = new Uint32Array(out.buffer);
  for (let i = 0; i < half.length; i++) outBits[i] = table[half[i]!]!;
  return out;
}

/** Narrows floats to f16 bit patterns. */
export function f16FromFloat32(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const x = bits[i]!;
    const sign = (x >>> 16) & 0x8000;
    const magnitude = x & 0x7fffffff;
    let half: number;
    if (magnitude > 0x7f800000) {
      half = 0x7e00; // NaN
    } else if (magnitude >= 0x477ff000) {
      half = 0x7c00; // 65520 and more round to infinity
    } else if (magnitude >= 0x38800000) {
      // Normal: rebias, then add half a unit of the last kept place (less one unless it is odd) before cutting.
      half = (magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13;
    } else if (magnitude < 0x33000000) {
      half = 0; // under 2^-25, half the smallest subnormal
    } else {
      // Subnormal: shift the mantissa, its leading one written out, down to units of 2^-24.
      const shift = 126 - (magnitude >>> 23);
      const mantissa = (magnitude & 0x7fffff) | 0x800000;
      const kept = mantissa >>> shift;
      const rest = mantissa - kept * 2 ** shift;
      const middle = 2 ** (shift - 1);
      half = kept + (rest > middle || (rest === middle && (kept & 1) === 1) ? 1 : 0);
    }
    out[i] = sign | half;
  }
  return out;
}

/** Widens bf16 bit patterns to floats: they are the upper halves of f32. */
export function float32FromBf16(half: Uint16Array): Float32Array {
  const out = new Float32Array(half.length);
  const bits = new Uint32Array(out.buffer);
  for (let i = 0; i < half.length; i++) bits[i] = half[i]! << 16;
  return out;
}

/** Narrows floats to bf16 bit patterns. */
export function bf16FromFloat32(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    const x = bits[i]!;
    const notANumber = (x & 0x7fffffff) > 0x7f800000;
    out[i] = notANumber ? (x >>> 16) | 0x40 : (x + 0x7fff + ((x >>> 16) & 1)) >>> 16;
  }
  return out;
}
