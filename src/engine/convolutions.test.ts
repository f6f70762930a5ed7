/** How functions with convolutions and ReLUs are compiled: their filters, and the gradient of a ReLU. */
import { describe, expect, it } from 'vitest';
import { compile } from './compile.js';
import { decodeModel } from './compiler/onnx-proto.js';
import { buildProgram } from './compiler/program.js';
import { type TensorFunction, trace } from './compiler/trace.js';
import * as tf from './functions/tfjs.js';
import { plainTraits } from './traits.js';
import { MemoryWeights } from './weights/weights.js';

/** Two convolutions with their ReLUs, summed, and the gradient by the picture. */
const convolutions: TensorFunction = ({ x }, w) => {
  const layer = (y: tf.Tensor, name: string) =>
    tf.relu(tf.add(tf.conv2d(y as tf.Tensor4D, w(name) as tf.Tensor4D, 1, 'same'), w('bias')));
  const { value, grad } = tf.valueAndGrad((y: tf.Tensor) => tf.sum(layer(layer(y, 'first'), 'second')))(x!);
  return { value, gradient: grad };
};
const filters = () => {
  const wave = (shape: number[]) => ({
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i)),
  });
  return new MemoryWeights(
    new Map([
      ['first', wave([3, 3, 3, 16])],
      ['second', wave([3, 3, 16, 16])],
      ['bias', wave([16])],
    ]),
  );
};

describe('convolutions', () => {
  it('has filters as constants where they are packed, with the same results', async () => {
    const inputs = { x: { shape: [1, 9, 9, 3] } };
    const x = Float32Array.from({ length: 243 }, (_, i) => Math.cos(i));
    // A source each: none is given weights for the other.
    const run = async (packed: boolean) =>
      (await compile(convolutions, { inputs, weights: filters(), packed })).run({ x });
    const [fed, packed] = [await run(false), await run(true)];
    for (const name of ['value', 'gradient']) {
      const largest = Math.max(...fed[name]!.map(Math.abs));
      for (const [i, y] of packed[name]!.entries())
        expect(Math.abs(y - fed[name]![i]!)).toBeLessThan(1e-5 * largest);
    }
    const traced = trace(convolutions, inputs, filters());
    const { constants, feeds } = buildProgram(traced, { packs: true });
    expect(feeds.map(({ name }) => name)).toEqual(['input:x']);
    // Two filters, the same turned for the gradient, and the bias.
    expect(constants).toHaveLength(5);
    expect(buildProgram(traced).constants).toEqual([]);
  });

  it('reads the sign of a ReLU from its output, so that convolution and ReLU are one for ONNX Runtime', () => {
    const { graph, outputs } = trace(convolutions, { x: { shape: [1, 9, 9, 3] } }, filters());
    expect(outputs.gradient!.shape).toEqual([1, 9, 9, 3]);
    const program = decodeModel(buildProgram({ graph, outputs }).model).graph!.node!;
    const relus = program.filter(({ opType }) => opType === 'Relu').map(({ output }) => output![0]);
    const signs = program.filter(({ opType }) => opType === 'Greater').map(({ input }) => input![0]);
    expect(signs.sort()).toEqual(relus.sort());
    expect(signs).toHaveLength(2);
  });

  it('opens and shuts the gradient of a ReLU by the nodes that are fastest on the device', () => {
    const opsFor = (fastHardSigmoid: boolean) => {
      const traits = { ...plainTraits, fastHardSigmoid };
      const traced = trace(convolutions, { x: { shape: [1, 9, 9, 3] } }, filters(), traits);
      return decodeModel(buildProgram(traced).model).graph!.node!.map(({ opType }) => opType);
    };
    expect(opsFor(true)).toContain('HardSigmoid');
    expect(opsFor(true)).not.toContain('Where');
    expect(opsFor(false)).toContain('Where');
  });
});
