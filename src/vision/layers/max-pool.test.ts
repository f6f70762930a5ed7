/** The gradient of a compiled max pool at every kind of border, against finite differences. */
import { expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { compile } from '../../engine/compile.js';
import * as tf from '../../engine/functions/tfjs.js';
import { evaluate } from './evaluate.js';
import { GraphBuilder } from './graph.js';
import type { Padding, Window } from './windows.js';

const window = (size: number, stride: number, padding: Padding, dilation = 1): Window => ({
  size: [size, size],
  strides: [stride, stride],
  dilations: [dilation, dilation],
  padding,
});
const ceil = { pads: [0, 0, 0, 0], ceil: true } as const;

it.each<[string, Window, number]>([
  ['2 by 2, rounded up', window(2, 2, ceil), 9],
  ['3 by 3, rounded up', window(3, 2, ceil), 8],
  ['3 by 3, rounded down', window(3, 2, { pads: [0, 0, 0, 0] }), 8],
  ['SAME', window(2, 2, 'same'), 9],
  ['SAME_LOWER', window(2, 2, 'same-lower'), 9],
  ['pads and an odd size', window(3, 2, { pads: [1, 0, 1, 1] }), 9],
  ['longer strides than windows', window(2, 3, { pads: [0, 0, 0, 0] }), 9],
  ['dilated', window(2, 1, { pads: [1, 1, 1, 1] }, 2), 7],
])('%s', async (_name, window, side) => {
  const g = new GraphBuilder([side, side, 2]);
  g.layer('pool', g.add({ kind: 'max pool', window, countPadding: false }, g.input));
  const graph = g.build();
  const size = side * side * 2;
  const x = Random.of(0, 'pool')
    .normals(size)
    .map((value) => 10 * value - 30);
  const factor = (i: number): number => Math.cos(i * 3.1);
  const loss = (x: tf.Tensor): tf.Scalar => {
    const [y] = evaluate(graph, () => tf.scalar(0), x, [{ node: 1 }]);
    const factors = Array.from({ length: y!.size }, (_, i) => factor(i));
    return tf.sum(tf.mul(y!, tf.tensor(factors, y!.shape)));
  };
  const step = await compile(({ x }) => ({ loss: loss(x!), gradient: tf.grad(loss)(x!) }), {
    inputs: { x: { shape: [1, side, side, 2] } },
  });
  const at = async (moved: Float32Array): Promise<number> => (await step.run({ x: moved })).loss![0]!;
  const { gradient } = await step.run({ x });
  const direction = x.map((_, i) => Math.sin(i * 7.7));
  const along = (h: number): Promise<number> => at(x.map((value, i) => value + h * direction[i]!));
  const slope = ((await along(0.02)) - (await along(-0.02))) / 0.04;
  step.dispose();
  expect((gradient as Float32Array).reduce((sum, g, i) => sum + g * direction[i]!, 0)).toBeCloseTo(slope, 2);
});
