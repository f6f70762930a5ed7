/** Muon against its definition: Newton-Schulz iterations on the matrix itself, in float64. */
import { expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { compile } from '../compile.js';
import { muon } from './optimizer.js';

type Matrix = number[][];

const product = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, x, k) => sum + x * b[k]![j]!, 0)));
const transposed = (a: Matrix): Matrix => a[0]!.map((_, j) => a.map((row) => row[j]!));
const combined = (a: Matrix, x: number, b: Matrix, y: number): Matrix =>
  a.map((row, i) => row.map((value, j) => x * value + y * b[i]![j]!));

function orthogonal(matrix: Matrix, iterations: number): Matrix {
  const norm = Math.hypot(...matrix.flat());
  let x = matrix.map((row) => row.map((value) => value / norm));
  for (let i = 0; i < iterations; i++) {
    const gram = product(x, transposed(x));
    x = combined(x, 3.4445, product(combined(gram, -4.775, product(gram, gram), 2.0315), x), 1);
  }
  return x;
}

it.each([
  [40, 12],
  [12, 40],
  [12, 12],
])('Muon of a matrix %i x %i', async (rows, columns) => {
  const data = new Random(3).normals(rows * columns);
  const matrix = Array.from({ length: rows }, (_, i) => [...data.subarray(i * columns, (i + 1) * columns)]);
  const size = { shape: [rows, columns] };
  const step = await compile(
    ({ gradient, momentum, parameter, rate }) => ({
      updated: muon({ momentum: 0, iterations: 4 }).apply(
        parameter!,
        gradient!,
        { momentum: momentum! },
        rate!,
        rate!,
      ).parameter,
    }),
    { inputs: { gradient: size, momentum: size, parameter: size, rate: { shape: [] } } },
  );
  const zeros = new Float32Array(data.length);
  const { updated } = await step.run({ gradient: data, momentum: zeros, parameter: zeros, rate: [1] });
  step.dispose();
  const gain = 0.2 * Math.sqrt(Math.max(rows, columns));
  const expected = orthogonal(matrix, 4).flat();
  for (const [i, value] of expected.entries()) expect(-updated![i]! / gain).toBeCloseTo(value, 4);
});
