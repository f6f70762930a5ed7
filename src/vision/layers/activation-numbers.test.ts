/** The tables of activation functions against each other: of numbers, of tensors, and where they are lowest. */
import { expect, it } from 'vitest';
import { compile } from '../../engine/compile.js';
import { activationNumbers } from './activation-numbers.js';
import type { ActivationName } from './op.js';
import { activationRule } from './rules/elementwise.js';
import { lowestPoints } from './rules/lift.js';

const names = Object.keys(activationNumbers) as ActivationName[];
const xs = Array.from({ length: 1025 }, (_, i) => (i - 512) / 64);

it('of numbers are those of tensors, with settings and without', async () => {
  const cases = names.flatMap((name) => [{ name }, { name, a: 0.3, b: 0.7 }]);
  const program = await compile(
    ({ x }) =>
      Object.fromEntries(
        cases.map((op, i) => [`${i}`, activationRule.run({ kind: 'activation', ...op }, [x!], {} as never)]),
      ),
    { inputs: { x: { shape: [xs.length] } }, engine: 'cpu' },
  );
  const outputs = await program.run({ x: Float32Array.from(xs) });
  for (const [i, { name, ...settings }] of cases.entries()) {
    const { a, b }: { a?: number; b?: number } = settings;
    const errors = Array.from(outputs[`${i}`]!, (value, at) =>
      Number.isFinite(value)
        ? Math.abs(activationNumbers[name](xs[at]!, a, b) - value) / (1 + Math.abs(value))
        : 0,
    );
    expect(Math.max(...errors), name).toBeLessThan(1e-5);
  }
  program.dispose();
});

it('where a function has a dip below zero, its lowest point is known', () => {
  const dips = names.flatMap((name) => {
    const values = xs.map((x) => activationNumbers[name](x));
    const at = values.indexOf(Math.min(...values));
    const isDip = values[at]! < -0.05 && Math.abs(activationNumbers[name](-50)) < 1e-3;
    return isDip ? [[name, xs[at]!] as const] : [];
  });
  expect(Object.keys(lowestPoints).sort()).toEqual(dips.map(([name]) => name).sort());
  for (const [name, x] of dips) expect(lowestPoints[name]).toBeCloseTo(x, 1);
});
