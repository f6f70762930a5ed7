import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { compile } from '../compile.js';
import * as tf from '../functions/tfjs.js';
import { bf16FromFloat32, f16FromFloat32, float32FromBf16, float32FromF16 } from '../weights/half.js';
import { type HalfType, MemoryWeights, type WeightArray, type WeightSource } from '../weights/weights.js';
import { widened } from './half-weights.js';
import { decodeModel } from './onnx-proto.js';
import { buildProgram } from './program.js';
import { type TensorFunction, trace } from './trace.js';

const narrowed = { float16: f16FromFloat32, bfloat16: bf16FromFloat32 };
const wide = { float16: float32FromF16, bfloat16: float32FromBf16 };

/** Matrices in half precision and a vector that is not, and the same as float32. */
function sources(type: HalfType): { halves: WeightSource; floats: WeightSource } {
  const random = new Random(1);
  const bits = new Map(['a', 'b'].map((name) => [name, narrowed[type](random.normals(64 * 64))]));
  const arrays = new Map<string, WeightArray>([['v', { shape: [64], data: random.normals(64) }]]);
  for (const [name, half] of bits) arrays.set(name, { shape: [64, 64], data: wide[type](half) });
  const floats = new MemoryWeights(arrays);
  const halves: WeightSource = {
    names: floats.names,
    shape: (name) => floats.shape(name),
    read(name) {
      if (bits.has(name)) throw new Error(`${name} was read as float32`);
      return floats.read(name);
    },
    halves: {
      stay: true,
      type: (name) => (bits.has(name) ? type : undefined),
      read: (name) => bits.get(name)!.slice(),
    },
  };
  return { halves, floats };
}

/** Rows, a slice and products of the matrices, with a gradient, and what is derived from one. */
const network: TensorFunction = ({ ids, x }, w) => {
  const value = (x: tf.Tensor) => {
    const hidden = tf.add(tf.matMul(x as tf.Tensor2D, w('b') as tf.Tensor2D, false, true), w('v'));
    return tf.matMul(tf.tanh(hidden) as tf.Tensor2D, w('a') as tf.Tensor2D);
  };
  return {
    rows: tf.gather(w('a'), ids!),
    part: tf.slice(w('a'), [0, 3], [64, 2]),
    block: tf.matMul(x as tf.Tensor2D, tf.slice(w('a'), [8, 0], [16, 64]) as tf.Tensor2D, false, true),
    derived: tf.mul(x!, tf.sum(tf.square(w('b')), 0)),
    plain: w('b'),
    y: value(x!),
    gradient: tf.grad((x) => tf.sum(value(x)))(x!),
  };
};
const inputs = { ids: { shape: [3], dtype: 'int32' }, x: { shape: [2, 64] } } as const;

describe.each(['float16', 'bfloat16'] as const)('weights kept in %s', (type) => {
  const { halves, floats } = sources(type);

  it.each(['float32', 'rough'] as const)('give exactly what they give as float32 (%s)', async (precision) => {
    const given = { ids: Int32Array.of(5, 0, 63), x: new Random(2).normals(128) };
    const results = [];
    const widenedOnce = { ...halves, halves: { ...halves.halves!, stay: false } };
    for (const weights of [halves, floats, widenedOnce]) {
      const program = await compile(network, { inputs, weights, precision });
      results.push(await program.run(given));
      program.dispose();
    }
    expect(results[0]).toEqual(results[1]);
    expect(results[2]).toEqual(results[1]);
  });

  it('are widened for each node alone, before all other nodes', () => {
    const program = buildProgram(trace(network, inputs, halves), { weightType: () => type });
    const nodes = decodeModel(program.model).graph!.node!;
    const isWeight = (name: string) => /^weight:[ab]/.test(name);
    const casts = nodes.filter(({ opType, input }) => opType === 'Cast' && input!.some(isWeight));
    expect(casts.length).toBeGreaterThan(3);
    for (const { output } of casts)
      expect(nodes.filter(({ input }) => input!.includes(output![0]!))).toHaveLength(1);
    const firstOther = nodes.findIndex(({ opType }) => opType !== 'Cast' && opType !== 'BitCast');
    for (const node of nodes.slice(firstOther))
      if (node.input!.some((name) => name === 'weight:a' || name === 'weight:b'))
        expect(node.opType).toBe('Gather');
  });
});

it('a node that reads an array twice has it wide twice', () => {
  const nodes = widened([{ opType: 'Mul', input: ['w', 'w'], output: ['y'] }], new Map([['w', 'float16']]));
  expect(nodes.map(({ input, output }) => [input, output])).toEqual([
    [['w'], ['w:0.0']],
    [['w'], ['w:0.1']],
    [['w:0.0', 'w:0.1'], ['y']],
  ]);
});
