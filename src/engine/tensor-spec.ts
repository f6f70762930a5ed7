/** @file Types of arrays: what goes into a compiled function and what comes out. */

/** Element types that cross the engine's border. */
export type DType = 'float32' | 'int32' | 'bool';

/**
 * Element types inside a graph; ONNX wants int64 for shapes, int8 is for quantized weights, uint8 for what they multiply, float16
 * for products on a GPU.
 */
export type GraphDType = DType | 'int64' | 'int8' | 'uint8' | 'float16';

export type TypedArray = Float32Array | Int32Array | Uint8Array;

export interface TensorSpec {
  readonly shape: readonly number[];
  readonly dtype?: DType;
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** NumPy broadcasting. Throws when the shapes do not fit. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[axis - rank + a.length] ?? 1;
    const y = b[axis - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) throw new Error(`shapes [${a}] and [${b}] do not broadcast`);
    return x === 1 ? y : x;
  });
}
