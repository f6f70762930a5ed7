import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import * as tf from '../../engine/functions/tfjs.js';
import { sizeOf } from '../../engine/tensor-spec.js';
import { MemoryWeights, type WeightArray } from '../../engine/weights/weights.js';
import { evaluate } from './evaluate.js';
import { GraphBuilder, type LayerGraph } from './graph.js';
import { param } from './params.js';
import { type Field, receptiveField } from './receptive-field.js';
import { validPadding, type Window } from './windows.js';

beforeAll(() => tf.setBackend('cpu'));

const window = (size: number, stride: number, padding: Window['padding'], dilation = 1): Window => ({
  size: [size, size],
  strides: [stride, stride],
  dilations: [dilation, dilation],
  padding,
});

/** Kernels are all positive, so that nothing cancels and every pixel of a field counts. */
function kernels(shapes: Record<string, readonly number[]>): MemoryWeights {
  const random = new Random(4);
  const array = (shape: readonly number[]): WeightArray => ({
    shape,
    data: random.uniforms(sizeOf(shape)).map((x) => 0.1 + x),
  });
  return new MemoryWeights(new Map(Object.entries(shapes).map(([name, shape]) => [name, array(shape)])));
}

const weights = kernels({ a: [3, 3, 3, 4], b: [3, 3, 4, 4], c: [2, 2, 4, 4], d: [1, 1, 4, 4], e: [4, 5] });

/** Every way in which a position reads others: strides, dilation, paddings, a side branch, a gate, slices. */
function example(): { graph: LayerGraph; layers: Record<string, number> } {
  const g = new GraphBuilder([23, 20, 3]);
  const conv = (name: string, x: number, w: Window) =>
    g.add({ kind: 'conv', kernel: param(weights, name), window: w, groups: 1 }, x);
  const strided = conv('a', g.input, window(3, 2, 'same'));
  const dilated = conv('b', strided, window(3, 1, 'same', 2));
  const branch = conv('d', strided, window(1, 1, validPadding));
  const joined = g.add({ kind: 'concat', axis: 3 }, dilated, branch);
  const left = g.add({ kind: 'slice', axis: 3, begin: 0, end: 4, step: 1 }, joined);
  const padded = g.add(
    {
      kind: 'pad',
      pads: [
        [0, 0],
        [2, 1],
        [1, 0],
        [0, 0],
      ],
      mode: 'constant',
      value: 0,
    },
    left,
  );
  const pooled = g.add(
    { kind: 'average pool', window: window(2, 2, { pads: [0, 0, 0, 0], ceil: true }), countPadding: false },
    padded,
  );
  const cut = g.add({ kind: 'slice', axis: 2, begin: 1, end: 5, step: 2 }, pooled);
  const last = conv('c', cut, window(2, 1, { pads: [1, 0, 0, 0] }));
  const gate = g.add({ kind: 'reduce', name: 'mean', axes: [1, 2], keepDims: true }, branch);
  const gated = g.add({ kind: 'multiply' }, last, gate);
  const scores = g.add(
    { kind: 'dense', kernel: param(weights, 'e') },
    g.add({ kind: 'reduce', name: 'mean', axes: [1, 2], keepDims: false }, last),
  );
  const layers = { strided, dilated, joined, pooled, last, gated, scores };
  return { graph: g.build(), layers };
}

/** The pixels whose gradient is not zero. */
function seenField(graph: LayerGraph, node: number, row: number, column: number): Field {
  const image = tf.ones([1, 23, 20, 3]) as tf.Tensor4D;
  const value = (x: tf.Tensor) => {
    const [y] = evaluate(
      graph,
      (name) => tf.tensor(weights.read(name), [...weights.shape(name)]),
      x as tf.Tensor4D,
      [{ node }],
    );
    const map = y!.rank === 4 ? y! : tf.reshape(y!, [1, 1, 1, -1]);
    return tf.sum(tf.slice(map, [0, row, column, 0], [1, 1, 1, -1]));
  };
  const gradient = tf.sum(tf.abs(tf.grad(value)(image)), [0, 3]);
  const touched = (axis: 0 | 1) =>
    [...tf.sum(gradient, 1 - axis).dataSync()].flatMap((x, i) => (x > 0 ? [i] : []));
  const [rows, columns] = [touched(0), touched(1)];
  return { top: rows[0]!, bottom: rows.at(-1)!, left: columns[0]!, right: columns.at(-1)! };
}

it.each([
  ['strided', 0, 0],
  ['strided', 5, 9],
  ['dilated', 11, 4],
  ['joined', 3, 3],
  ['pooled', 1, 0],
  ['pooled', 4, 2],
  ['last', 3, 0],
  ['last', 7, 0],
  ['gated', 2, 0],
  ['scores', 0, 0],
] as const)('of %s at %d, %d is where the gradient is not zero', (layer, row, column) => {
  const { graph, layers } = example();
  const node = layers[layer]!;
  expect(receptiveField(graph, node, [1, 23, 20, 3], { row, column })).toEqual(
    seenField(graph, node, row, column),
  );
});
