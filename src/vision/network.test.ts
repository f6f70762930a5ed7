import '@tensorflow/tfjs-backend-cpu';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { UsageError, UserError } from '../core/errors.js';
import * as tf from '../engine/functions/tfjs.js';
import { MemoryWeights, type WeightArray } from '../engine/weights/weights.js';
import { GraphBuilder } from './layers/graph.js';
import { param } from './layers/params.js';
import { VisionNetwork, type Wanted } from './network.js';
import { range } from './preprocess.js';

beforeAll(() => tf.setBackend('cpu'));

/** Numbers that look random and are always the same. */
function array(...shape: number[]): WeightArray {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, data: Float32Array.from({ length: size }, (_, i) => Math.sin(i * 12.9898 + size) * 0.7) };
}

/** A network with every kind of path that a demand for channels takes: residual, concatenation, groups, dense. */
function exampleNetwork(): VisionNetwork {
  const weights = new MemoryWeights(
    new Map<string, WeightArray>([
      ['stem/kernel', array(3, 3, 3, 8)],
      ['stem/mean', array(8)],
      ['stem/variance', { ...array(8), data: array(8).data.map((x) => 1 + Math.abs(x)) }],
      ['stem/scale', array(8)],
      ['stem/shift', array(8)],
      ['depthwise/kernel', array(3, 3, 1, 16)],
      ['grouped/kernel', array(3, 3, 4, 12)],
      ['grouped/bias', array(12)],
      ['project/kernel', array(1, 1, 12, 8)],
      ['slope', array(8)],
      ['dense/kernel', array(2 * 2 * 16, 5)],
      ['dense/bias', array(5)],
      ['dense/scale', array(5)],
    ]),
  );
  const g = new GraphBuilder([9, 9, 3]);
  const p = (name: string) => param(weights, name);
  const window = (size: number, stride: number, dilation = 1) =>
    ({
      size: [size, size],
      strides: [stride, stride],
      dilations: [dilation, dilation],
      padding: 'same',
    }) as const;
  const conv = (name: string, x: number, size: number, stride: number, groups = 1, dilation = 1) =>
    g.add({ kind: 'conv', kernel: p(`${name}/kernel`), window: window(size, stride, dilation), groups }, x);
  const stem = g.layer('stem', conv('stem', g.input, 3, 2));
  const norm = g.layer(
    'norm',
    g.add(
      {
        kind: 'affine',
        mean: p('stem/mean'),
        variance: p('stem/variance'),
        epsilon: 1e-3,
        scale: p('stem/scale'),
        shift: p('stem/shift'),
      },
      stem,
    ),
  );
  const relu = g.layer('relu', g.add({ kind: 'activation', name: 'relu' }, norm));
  const depthwise = g.layer('depthwise', conv('depthwise', relu, 3, 1, 8, 2));
  const grouped = g.layer(
    'grouped',
    g.add(
      { kind: 'conv', kernel: p('grouped/kernel'), bias: p('grouped/bias'), window: window(3, 1), groups: 4 },
      depthwise,
    ),
  );
  const project = g.layer('project', conv('project', grouped, 1, 1));
  const sum = g.layer('sum', g.add({ kind: 'add' }, project, relu));
  const prelu = g.layer('prelu', g.add({ kind: 'prelu', slope: p('slope') }, sum));
  const pool = {
    window: { ...window(3, 2), padding: { pads: [1, 1, 1, 1], ceil: true } },
    countPadding: false,
  } as const;
  const average = g.layer('average', g.add({ kind: 'average pool', ...pool }, prelu));
  const max = g.layer('max', g.add({ kind: 'max pool', ...pool }, prelu));
  const joined = g.layer('joined', g.add({ kind: 'concat', axis: 3 }, average, max));
  const half = g.layer('half', g.add({ kind: 'slice', axis: 3, begin: 1, end: -1, step: 2 }, joined));
  g.layer('normalized', g.add({ kind: 'lrn', size: 3, alpha: 0.5, beta: 0.75, bias: 1 }, half));
  const resized = g.add({ kind: 'resize', size: [2, 2], options: { interpolation: 'area' } }, joined);
  const dense = g.add(
    { kind: 'dense', kernel: p('dense/kernel'), bias: p('dense/bias') },
    g.add({ kind: 'flatten', order: 'chw' }, resized),
  );
  const logits = g.layer('logits', g.add({ kind: 'affine', scale: p('dense/scale') }, dense));
  g.layer('classes', g.add({ kind: 'softmax' }, logits));
  g.alias('output', 'logits');
  return new VisionNetwork({
    name: 'example',
    graph: g.build(),
    weights,
    input: { height: 9, width: 9, channels: 3, preprocessing: range(-1, 1) },
  });
}

const network = exampleNetwork();
const asked: string[] = [];
const lookup = (name: string): tf.Tensor => {
  asked.push(name);
  return tf.tensor(network.weights.read(name), [...network.weights.shape(name)]);
};
const image = tf.tidy(() => tf.keep(tf.tensor4d(array(2, 9, 9, 3).data, [2, 9, 9, 3])));

test('layers come in order with their channels and sizes', () => {
  expect(network.layers.map(({ name, channels, size }) => `${name} ${channels} ${size.join('x')}`)).toEqual([
    'stem 8 5x5',
    'norm 8 5x5',
    'relu 8 5x5',
    'depthwise 16 5x5',
    'grouped 12 5x5',
    'project 8 5x5',
    'sum 8 5x5',
    'prelu 8 5x5',
    'average 8 3x3',
    'max 8 3x3',
    'joined 16 3x3',
    'half 7 3x3',
    'normalized 7 3x3',
    'logits 5 ',
    'classes 5 ',
  ]);
});

test('some channels of some layers are those of the whole, in the order asked', async () => {
  const layers = network.layers.map(({ name }) => name);
  const whole = network.forward(
    lookup,
    image,
    layers.map((layer) => ({ layer })),
  );
  const one = fc.constantFrom(...network.layers).chain(({ name, channels }) =>
    fc.record({
      layer: fc.constant(name),
      channels: fc.uniqueArray(fc.nat(channels - 1), { minLength: 1, maxLength: channels }),
    }),
  );
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 3 }), (wanted) => {
      tf.tidy(() => {
        network.forward(lookup, image, wanted).forEach((y, i) => {
          const { layer, channels } = wanted[i]!;
          const full = whole[layers.indexOf(layer)]!;
          const expected = tf.gather(full, channels, full.rank - 1);
          expect(y.shape).toEqual(expected.shape);
          expect(tf.max(tf.abs(tf.sub(y, expected))).dataSync()[0]).toBeLessThan(1e-5);
        });
      });
    }),
    { numRuns: 60 },
  );
});

test('only the wanted filters run, and only the layers they need', async () => {
  asked.length = 0;
  const kernels = async (wanted: Wanted[]) =>
    (await tf.profile(() => network.forward(lookup, image, wanted))).kernels
      .filter(({ name }) => /Conv2[Dd]/.test(name))
      .map(({ outputShapes }) => outputShapes[0]!.at(-1));
  expect(await kernels([{ layer: 'norm', channels: [5] }])).toEqual([1]);
  expect(asked).toEqual(expect.arrayContaining(['stem/kernel', 'stem/mean']));
  expect(asked).not.toContain('depthwise/kernel');
  // One channel after the second group of three filters: one filter of it, two channels of the depthwise layer's 16.
  expect(await kernels([{ layer: 'grouped', channels: [4] }])).toEqual([8, 16, 1]);
  expect(await kernels([{ layer: 'depthwise', channels: [9] }])).toEqual([1, 1]);
  // The stem is needed whole by the convolutions, though the sum wants one channel of it.
  expect(await kernels([{ layer: 'sum', channels: [2] }])).toEqual([8, 16, 3, 3, 3, 3, 1]);
});

test('gradients agree with finite differences', () => {
  const f = (x: tf.Tensor): tf.Scalar =>
    tf.sum(network.forward(lookup, x as tf.Tensor4D, [{ layer: 'normalized', channels: [2] }])[0]!);
  const gradient = tf.grad(f)(image).dataSync();
  const data = image.dataSync();
  for (const i of [0, 57, 200, 399]) {
    const at = (step: number): number => {
      const moved = Float32Array.from(data);
      moved[i]! += step;
      return f(tf.tensor4d(moved, [2, 9, 9, 3])).dataSync()[0]!;
    };
    expect((at(1e-2) - at(-1e-2)) / 2e-2).toBeCloseTo(gradient[i]!, 2);
  }
});

test('larger pictures go as far as the layers allow', () => {
  const large = tf.zeros([1, 20, 30, 3]) as tf.Tensor4D;
  const [joined, logits] = network.forward(lookup, large, [{ layer: 'joined' }, { layer: 'output' }]);
  expect(joined!.shape).toEqual([1, 6, 8, 16]);
  expect(logits!.shape).toEqual([1, 5]);
});

test('mistakes are reported with what would be right', () => {
  const x = tf.zeros([1, 9, 9, 3]) as tf.Tensor4D;
  expect(() => network.forward(lookup, x, [{ layer: 'jointed' }])).toThrow(
    new UsageError('example has no layer "jointed"; did you mean "joined"?'),
  );
  expect(() => network.layer('zzz')).toThrow(/`superstim units example` lists its 15 layers/);
  expect(() => network.forward(lookup, x, [{ layer: 'stem', channels: [8] }])).toThrow(
    new UsageError('layer "stem" of example has channels 0 to 7, not 8'),
  );
  expect(() => network.forward(lookup, tf.zeros([1, 9, 9, 1]), [{ layer: 'stem' }])).toThrow(
    new UserError('example reads images of 3 channels, this one has 1'),
  );
});
