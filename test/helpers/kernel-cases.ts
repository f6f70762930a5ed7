/** @file Kernels compiled against the eager cpu backend, values and gradients: a case says the function and its inputs. */
import { expect, it } from 'vitest';
import { compile } from '../../src/engine/compile.js';
import type { TensorFunction } from '../../src/engine/compiler/trace.js';
import * as tf from '../../src/engine/functions/tfjs.js';
import { sizeOf } from '../../src/engine/tensor-spec.js';

type Shape = readonly number[];
export interface Case {
  readonly shapes: readonly Shape[];
  readonly fn: (...x: tf.Tensor[]) => tf.Tensor;
  /** Inputs drawn from [low, high]. */
  readonly range?: readonly [number, number];
  /** The cpu backend's gradient is wrong here: central differences are the judge. */
  readonly cpuGradientWrong?: boolean;
  readonly noGradient?: boolean | undefined;
}

export const smooth = (
  fn: (x: tf.Tensor) => tf.Tensor,
  range: readonly [number, number] = [-2, 2],
): Case => ({
  shapes: [[3, 5]],
  fn,
  range,
});
export const pair = (
  fn: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor,
  range: readonly [number, number] = [0.5, 2],
  b: Shape = [5],
): Case => ({
  shapes: [[3, 5], b],
  fn,
  range,
});
export const image = (fn: (...x: tf.Tensor[]) => tf.Tensor, ...more: Shape[]): Case => ({
  shapes: [[2, 7, 6, 3], ...more],
  fn,
});
export const four = (x: tf.Tensor) => x as tf.Tensor4D;
export const fixed = (shape: number[], seed: number) =>
  tf.tensor(random(sizeOf(shape), [-1, 1], seed), shape);

function random(size: number, [low, high]: readonly [number, number], seed: number): Float32Array {
  let state = seed * 2654435761 + 12345;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return low + ((high - low) * state) / 2 ** 32;
  });
}

/** The case's output, and the gradient of its product with fixed random weights for every input. */
function program({ fn, noGradient }: Case): TensorFunction {
  return (inputs) => {
    const xs = Object.values(inputs);
    const value = fn(...xs);
    if (noGradient) return { value };
    const objective = (...args: tf.Tensor[]) => {
      const y = fn(...args);
      return tf.sum(tf.mul(y, fixed(y.shape, 99)));
    };
    const { value: total, grads } = tf.valueAndGrads(objective)(xs);
    return { value, total, ...Object.fromEntries(grads.map((g, i) => [`grad${i}`, g])) };
  };
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  const scale = Math.max(1e-6, ...Array.from(expected, Math.abs));
  for (let i = 0; i < expected.length; i++)
    expect(Math.abs(actual[i]! - expected[i]!) / scale).toBeLessThan(tolerance);
}

/** A test for each case. */
export function checkCases(cases: Readonly<Record<string, Case>>): void {
  for (const [name, testCase] of Object.entries(cases)) {
    it(name, async () => {
      const shapes = testCase.shapes;
      const inputs = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, { shape }]));
      const data = Object.fromEntries(
        shapes.map((shape, i) => [`x${i}`, random(sizeOf(shape), testCase.range ?? [-1, 1], i + 1)]),
      );
      const compiled = await compile(program(testCase), { inputs });
      const eager = await compile(
        program({ ...testCase, noGradient: testCase.noGradient || testCase.cpuGradientWrong }),
        {
          inputs,
          engine: 'cpu',
        },
      );
      const [actual, expected] = [await compiled.run(data), await eager.run(data)];
      expect(compiled.outputs).toMatchObject(eager.outputs);
      for (const output of Object.keys(expected)) {
        expectClose(actual[output]!, expected[output]!, 1e-4);
      }
      if (testCase.cpuGradientWrong)
        expectClose(actual.grad0!, await centralDifferences(compiled, data), 5e-3);
      compiled.dispose();
    });
  }
}

async function centralDifferences(
  compiled: { run(x: Record<string, Float32Array>): Promise<Record<string, ArrayLike<number>>> },
  data: Record<string, Float32Array>,
) {
  const x = data.x0!;
  const step = 0.002;
  const gradient = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const at = async (shift: number) => {
      const moved = x.slice();
      moved[i]! += shift;
      return (await compiled.run({ ...data, x0: moved })).total![0]!;
    };
    gradient[i] = ((await at(step)) - (await at(-step))) / (2 * step);
  }
  return gradient;
}
