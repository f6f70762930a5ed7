import { expect, it } from 'vitest';
import { MemoryWeights } from '../engine/weights/weights.js';
import { GraphBuilder } from './layers/graph.js';
import type { Op } from './layers/op.js';
import { param } from './layers/params.js';
import { ownRange } from './own-scaling.js';
import { type Preprocessing, range } from './preprocess.js';

const weights = new MemoryWeights(
  new Map([
    ['kernel', { shape: [3, 3, 3, 4], data: new Float32Array(108).fill(0.1) }],
    ['mean', { shape: [3], data: Float32Array.of(123.7, 116.3, 103.5) }],
    ['variance', { shape: [3], data: Float32Array.of(3400, 3300, 3290) }],
  ]),
);
const window = { size: [3, 3], strides: [1, 1], dilations: [1, 1], padding: 'same' } as const;

type Step = (g: GraphBuilder, x: number) => number;
const linear =
  (a: number, b = 0): Step =>
  (g, x) =>
    g.add({ kind: 'activation', name: 'linear', a, b }, x);
const by =
  (kind: 'add' | 'subtract' | 'multiply' | 'divide', ...data: number[]): Step =>
  (g, x) =>
    g.add({ kind }, x, g.add({ kind: 'constant', value: { shape: [data.length], data } }));
const reversed: Step = (g, x) => {
  const channel = (begin: number): number =>
    g.add({ kind: 'slice', axis: 3, begin, end: begin + 1, step: 1 }, x);
  return g.add({ kind: 'concat', axis: 3 }, channel(2), channel(1), channel(0));
};
const standardized: Step = (g, x) => {
  const op: Op = { kind: 'affine', mean: param(weights, 'mean'), variance: param(weights, 'variance') };
  return g.add(op, x);
};
const bgr = (given: Preprocessing): Preprocessing => ({ ...given, order: 'bgr' });

const bytes = range(0, 255);
it.each<[string, Step[], Preprocessing | null]>([
  ['nothing', [], null],
  ['/ 255', [by('divide', 255)], bytes],
  [
    '/ 255, less the mean, by the deviation',
    [linear(1 / 255), by('subtract', 0.485, 0.456, 0.406), by('divide', 0.229, 0.224, 0.225)],
    bytes,
  ],
  ['/ 127.5 - 1', [by('multiply', 1 / 127.5), by('subtract', 1)], bytes],
  ['- 127.5, / 128', [linear(1, -127.5), by('divide', 128)], bytes],
  ['a Normalization', [standardized], bytes],
  [
    "EfficientNet's second scaling",
    [linear(1 / 255), by('subtract', 0.485, 0.456, 0.406), by('divide', 0.109, 0.106, 0.107)],
    bytes,
  ],
  ['2 x - 1', [by('multiply', 2), by('subtract', 1)], range(0, 1)],
  ['- 0.5', [by('subtract', 0.5)], range(0, 1)],
  [
    'by the deviation, less the mean',
    [by('subtract', 0.485, 0.456, 0.406), by('divide', 0.229, 0.224, 0.225)],
    range(0, 1),
  ],
  [
    'times 255, less the mean of Caffe',
    [reversed, linear(255), by('subtract', 103.9, 116.8, 123.7)],
    range(0, 1),
  ],
  ['(x + 1) / 2', [linear(0.5, 0.5)], range(-1, 1)],
  ['blue first, less the mean of Caffe', [reversed, by('add', -103.9, -116.8, -123.7)], bytes],
  ['the mean of Caffe alone', [by('subtract', 103.9, 116.8, 123.7)], bgr(bytes)],
  ['a scaling that nobody has', [linear(40, 3000)], null],
])('%s', (_name, steps, expected) => {
  const g = new GraphBuilder([8, 8, 3]);
  const x = steps.reduce((x, step) => step(g, x), g.input);
  g.add({ kind: 'conv', kernel: param(weights, 'kernel'), window, groups: 1 }, x);
  expect(ownRange(g.build(), weights, 3)).toEqual(expected);
});
