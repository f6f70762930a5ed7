import { describe, expect, it } from 'vitest';
import { compile } from '../compile.js';
import * as tf from '../functions/tfjs.js';
import { firstNonFinite, firstNonFiniteHalf, readFiniteHalf } from './finite.js';
import { bf16FromFloat32, f16FromFloat32 } from './half.js';
import { MemoryWeights } from './weights.js';

describe('firstNonFinite', () => {
  it.each([
    [[], undefined],
    [[0, -0, 1e-45, 3.4e38, -3.4e38], undefined],
    [[1, Number.NaN, Number.POSITIVE_INFINITY], 1],
    [[1, 2, Number.NEGATIVE_INFINITY], 2],
  ])('%j -> %s', (values, index) => {
    expect(firstNonFinite(Float32Array.from(values))).toBe(index);
  });

  it('looks at the view, not at its buffer', () => {
    const all = Float32Array.of(Number.NaN, 1, 2, Number.NaN);
    expect(firstNonFinite(all.subarray(1, 3))).toBeUndefined();
    expect(firstNonFinite(all.subarray(1))).toBe(2);
  });
});

it.each([
  ['float16', f16FromFloat32, 65504],
  ['bfloat16', bf16FromFloat32, 3.3e38],
] as const)('%s: finds what is not finite among the bits', (type, narrowed, largest) => {
  const half = (...values: number[]) => narrowed(Float32Array.from(values));
  expect(firstNonFiniteHalf(half(0, -0, 1, largest, -largest), type)).toBeUndefined();
  expect(firstNonFiniteHalf(half(1, Number.NaN), type)).toBe(1);
  const source = (value: number) => ({
    names: ['w'],
    shape: () => [2],
    read: () => new Float32Array(2),
    halves: { stay: true, type: () => type, read: () => half(1, value) },
  });
  expect(readFiniteHalf(source(2), 'w', type)).toEqual(half(1, 2));
  expect(() => readFiniteHalf(source(Number.NEGATIVE_INFINITY), 'w', type)).toThrow(
    'the weight "w" holds infinity (element 1 of 2)',
  );
});

it.each(['onnx', 'cpu'] as const)(
  '%s names a weight that holds NaN, and none that is not read',
  async (engine) => {
    const weights = new MemoryWeights(
      new Map([
        ['good', { shape: [2], data: Float32Array.of(1, 2) }],
        ['bad', { shape: [2], data: Float32Array.of(1, Number.NaN) }],
      ]),
    );
    const doubled = async (name: string) => {
      const options = { inputs: { x: { shape: [2] } }, weights, engine };
      const compiled = await compile(({ x }, weight) => ({ y: tf.mul(x!, weight(name)) }), options);
      return (await compiled.run({ x: [3, 3] })).y;
    };
    await expect(doubled('bad')).rejects.toThrow('the weight "bad" holds NaN (element 1 of 2)');
    expect(await doubled('good')).toEqual(Float32Array.of(3, 6));
  },
);
