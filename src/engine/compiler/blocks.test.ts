/** Graphs of pictures in blocks of channels: the same results, and which nodes they have. */
import { describe, expect, it } from 'vitest';
import { compile } from '../compile.js';
import { devices } from '../engine-names.js';
import * as tf from '../functions/tfjs.js';
import { MemoryWeights } from '../weights/weights.js';
import { inBlocks } from './blocks.js';
import { Graph, type Traced } from './graph.js';
import { decodeModel } from './onnx-proto.js';
import { buildProgram } from './program.js';
import { reachable } from './reachable.js';
import { pad, slice } from './rules/shape.js';
import { type TensorFunction, trace } from './trace.js';

type Picture = tf.Tensor4D;
const zeros = (x: tf.Tensor, by: number) =>
  tf.pad(x as Picture, [
    [0, 0],
    [by, by],
    [by, by],
    [0, 0],
  ]);

/** Pools of every kind, branches that are joined, and the gradient by the picture, [1, 13, 13, 16]. */
const pools: TensorFunction = ({ x }, w) => {
  const layer = (y: tf.Tensor, name: string) =>
    tf.relu(tf.add(tf.conv2d(y as Picture, w(name) as Picture, 1, 'same'), w('bias')));
  const body = (x: tf.Tensor) => {
    const odd = layer(layer(x, 'a'), 'b');
    const halved = tf.maxPool(tf.slice(odd, 0, [1, 12, 12, 16]) as Picture, 2, 2, 'valid');
    const overlapping = tf.maxPool(zeros(layer(halved, 'c'), 1) as Picture, 3, 1, 'valid');
    const average = tf.avgPool(zeros(overlapping, 1) as Picture, 3, 1, 'valid');
    const joined = tf.concat([layer(layer(overlapping, 'a'), 'b'), layer(average, 'c')], 3);
    // Not of a ReLU: the sign has negative values.
    const other = tf.step(tf.conv2d(joined as Picture, w('wide') as Picture, 1, 'same'));
    return tf.sum(tf.mul(other, tf.conv2d(joined as Picture, w('wide') as Picture, 1, 'same')));
  };
  const { value, grad } = tf.valueAndGrad(body)(x!);
  return { value, gradient: grad };
};
const inputs = { x: { shape: [1, 13, 13, 16] } };
const filters = () => {
  const wave = (shape: number[], phase: number) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * i + phase) / 8),
  });
  const names = Object.entries({ a: 1, b: 2, c: 3 });
  return new MemoryWeights(
    new Map([
      ...names.map(([name, phase]) => [name, wave([3, 3, 16, 16], phase)] as const),
      ['wide', wave([3, 3, 32, 16], 4)],
      ['bias', wave([16], 5)],
    ]),
  );
};

describe('blocks of channels', () => {
  it('have the same results', async () => {
    const x = Float32Array.from({ length: 13 * 13 * 16 }, (_, i) => Math.cos(i * i));
    const run = async (packed: boolean) =>
      (await compile(pools, { inputs, weights: filters(), packed })).run({ x });
    const [fed, packed] = [await run(false), await run(true)];
    for (const name of ['value', 'gradient']) {
      const largest = Math.max(...fed[name]!.map(Math.abs));
      expect(largest).toBeGreaterThan(0.1);
      for (const [i, y] of packed[name]!.entries())
        expect(Math.abs(y - fed[name]![i]!)).toBeLessThan(1e-5 * largest);
    }
  });

  it('have gates of maxima, of what is joined, and by nodes that are known; borders are those of pools', () => {
    const before = trace(pools, inputs, filters(), devices.cpu);
    const after = inBlocks(before);
    const gates = (traced: Traced) =>
      nodes(traced).flatMap(({ op, inputs: [x] }) => (op === 'HardSigmoid' ? [x!] : []));
    expect(gates(before)).toHaveLength(7);
    // What is left: of what has negative values, and of the maxima of both pools.
    const ops = gates(after).map(({ source }) => source.kind === 'node' && source.node.op);
    expect(ops).toEqual(['Conv', 'MaxPool', 'MaxPool']);
    const count = (op: string) => nodes(after).filter((node) => node.op === op).length;
    expect({
      known: count('Clip'),
      average: count('AveragePool'),
      transposed: count('ConvTranspose'),
    }).toEqual({
      known: 3,
      average: 2,
      transposed: 0,
    });
    // Behind a shape that it does not know, ONNX Runtime leaves blocks.
    const { valueInfo } = decodeModel(buildProgram(after, { packs: true }).model).graph!;
    const shapes = valueInfo!.map(({ type }) =>
      type!.tensorType!.shape!.dim!.map(({ dimValue }) => dimValue),
    );
    expect(shapes).toEqual([[1, 16, 12, 12]]);
  });

  it('leave a gate of other rows than the pool read as it is', () => {
    const graph = new Graph(devices.cpu);
    const sign = graph.unary('Relu', graph.input('x', [1, 16, 5, 5], 'float32'));
    const window = { kernel_shape: [2, 2], strides: [2, 2] };
    const shapes = (['float32', 'int64'] as const).map((dtype) => ({ shape: [1, 16, 2, 2], dtype }));
    const read = slice(graph, sign, [0, 0, 1, 1], [1, 16, 4, 4]);
    const [, positions] = graph.nodes('MaxPool', [read], shapes, { ...window, pads: [0, 0, 0, 0] });
    const dy = graph.input('dy', [1, 16, 2, 2], 'float32');
    const shape = graph.ints([1, 16, 4, 4]);
    const spread = graph.node('MaxUnpool', [dy, positions!, shape], [1, 16, 4, 4], 'float32', window);
    const gatedAt = (start: number) => {
      const border: [number, number] = [start, 1 - start];
      const whole = pad(graph, spread, [[0, 0], [0, 0], border, border]);
      const gate = graph.unary('HardSigmoid', sign, { alpha: { f: 1e30 }, beta: { f: 0 } });
      const { z } = inBlocks({ graph, outputs: { z: graph.elementwise('Mul', [whole, gate]) } }).outputs;
      return z!.source.kind === 'node' && z!.source.node.op;
    };
    expect([gatedAt(1), gatedAt(0)]).toEqual(['Pad', 'Mul']);
  });
});

const nodes = ({ outputs }: Traced) => reachable(Object.values(outputs)).nodes;
