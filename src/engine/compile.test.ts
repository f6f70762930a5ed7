import { describe, expect, it } from 'vitest';
import { type Compiled, compile, releaseWeights, resident } from './compile.js';
import { decodeModel } from './compiler/onnx-proto.js';
import { buildProgram } from './compiler/program.js';
import { type TensorFunction, trace } from './compiler/trace.js';
import * as tf from './functions/tfjs.js';
import { MemoryWeights, type WeightSource } from './weights/weights.js';

const square: TensorFunction = ({ x }, weights) => {
  const { value, grad } = tf.valueAndGrad((y: tf.Tensor) =>
    tf.sum(tf.square(tf.matMul(y as tf.Tensor2D, weights('w') as tf.Tensor2D))),
  )(x!);
  return { value, gradient: grad };
};
const weights = (scale = 1) =>
  new MemoryWeights(
    new Map([['w', { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4).map((x) => scale * x) }]]),
  );

/** Counts how often each weight is read. */
function counting(source: WeightSource): WeightSource & { reads: string[] } {
  const reads: string[] = [];
  return {
    reads,
    names: source.names,
    shape: (name) => source.shape(name),
    read: (name) => {
      reads.push(name);
      return source.read(name);
    },
  };
}

const ops = (compiledFn: TensorFunction, shapes: Record<string, number[]>, source?: WeightSource) => {
  const inputs = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape }]));
  const program = buildProgram(trace(compiledFn, inputs, source));
  const names = (model: Uint8Array) =>
    decodeModel(model)
      .graph!.node!.map((node) => node.opType!)
      .filter((op) => op !== 'Identity');
  return {
    body: names(program.model),
    derivation: program.derivation ? names(program.derivation.model) : [],
    feeds: program.feeds,
  };
};

describe('compile', () => {
  it('gives value and gradient of the example in its documentation', async () => {
    const compiled = await compile(square, { inputs: { x: { shape: [1, 2] } }, weights: weights() });
    const { value, gradient } = await compiled.run({ x: [1, 1] });
    expect(value![0]).toBe(4 * 4 + 6 * 6);
    expect([...gradient!]).toEqual([2 * (4 * 1 + 6 * 2), 2 * (4 * 3 + 6 * 4)]);
    expect(compiled.outputs).toEqual({
      value: { shape: [], dtype: 'float32' },
      gradient: { shape: [1, 2], dtype: 'float32' },
    });
  });

  it('reads a weight once for all shapes, and another set of weights apart', async () => {
    const source = counting(weights());
    const make = (rows: number, from: WeightSource) =>
      compile(square, { inputs: { x: { shape: [rows, 2] } }, weights: from });
    const [one, two, other] = [await make(1, source), await make(2, source), await make(1, weights(2))];
    expect(source.reads).toEqual(['w']);
    const value = async (compiled: Compiled, x: number[]) => (await compiled.run({ x })).value![0];
    expect(await value(one, [1, 1])).toBe(52);
    expect(await value(two, [1, 1, 1, 1])).toBe(104);
    expect(await value(other, [1, 1])).toBe(208);
  });

  it('lets go of weights, which loaded programs may still use and later ones read again', async () => {
    const source = counting(weights());
    const make = () => compile(square, { inputs: { x: { shape: [1, 2] } }, weights: source });
    const value = async (compiled: Compiled) => (await compiled.run({ x: [1, 1] })).value![0];
    const before = await make();
    await releaseWeights(source);
    expect(await value(before)).toBe(52);
    before.dispose();
    expect(await value(await make())).toBe(52);
    expect(source.reads).toEqual(['w', 'w']);
    const onCpu = await compile(square, { inputs: { x: { shape: [1, 2] } }, weights: source, engine: 'cpu' });
    expect(await value(onCpu)).toBe(52);
    const kept = tf.memory().numTensors;
    await releaseWeights(source);
    expect(tf.memory().numTensors).toBe(kept - 1);
  });

  it('shares equal constants, however large', () => {
    const ramp = () => tf.tensor1d(Float32Array.from({ length: 10_000 }, (_, i) => i));
    const twice = ({ x }: Record<string, tf.Tensor>) => ({
      a: tf.exp(tf.add(x!, ramp())),
      b: tf.neg(tf.exp(tf.add(x!, ramp()))),
    });
    expect(ops(twice, { x: [10_000] }).body).toEqual(['Add', 'Exp', 'Neg']);
  });

  it('sees that gathering all rows is no computation', () => {
    const gather = (order: number[]) =>
      ops((_, w) => ({ y: tf.exp(tf.gather(w('w'), tf.tensor1d(order, 'int32'))) }), {}, weights())
        .derivation;
    expect(gather([0, 1])).toEqual(['Exp']);
    expect(gather([1, 0])).toEqual(['Gather', 'Exp']);
  });

  it('takes what depends on weights alone out of the graph', async () => {
    const folded: TensorFunction = ({ x }, w) => ({
      y: tf.matMul(x as tf.Tensor2D, tf.transpose(tf.exp(w('w'))) as tf.Tensor2D),
    });
    const { body, derivation, feeds } = ops(folded, { x: [1, 2] }, weights());
    expect(body).toEqual(['Gemm']);
    expect(derivation.sort()).toEqual(['Exp', 'Transpose']);
    expect(feeds.map(({ kind }) => kind).sort()).toEqual(['derived', 'input']);
    const compiled = await compile(folded, { inputs: { x: { shape: [1, 2] } }, weights: weights() });
    const { y } = await compiled.run({ x: [1, 0] });
    expect(y![0]).toBeCloseTo(Math.E, 5);
    expect(y![1]).toBeCloseTo(Math.exp(3), 4);
  });

  it('reshapes a weight without copying it', () => {
    const { derivation, feeds } = ops(
      ({ x }, w) => ({ y: tf.add(x!, tf.reshape(w('w'), [4])) }),
      { x: [3, 4] },
      weights(),
    );
    expect(derivation).toEqual([]);
    expect(feeds.map(({ kind, shape }) => [kind, [...shape]])).toContainEqual(['weight', [4]]);
  });

  it('computes a common part once and what is not asked for never', () => {
    const { body } = ops(
      ({ x }) => {
        tf.exp(x!);
        return { y: tf.add(tf.sin(x!), tf.mul(tf.sin(x!), 2)) };
      },
      { x: [3] },
    );
    expect(body.sort()).toEqual(['Add', 'Mul', 'Sin']);
  });

  it('leaves one transpose at either end of a chain of convolutions', () => {
    const { body } = ops(
      ({ x, w, b }) => {
        let y = x as tf.Tensor4D;
        for (let i = 0; i < 3; i++)
          y = tf.relu(tf.add(tf.conv2d(y, w as tf.Tensor4D, 1, 'same'), b!)) as tf.Tensor4D;
        return { y };
      },
      { x: [1, 9, 9, 4], w: [3, 3, 4, 4], b: [4] },
    );
    expect(body.filter((op) => op === 'Transpose').length).toBe(3); // image in, filter, image out
    expect(body.filter((op) => op === 'Add')).toEqual([]); // biases went into the convolutions
  });

  it('keeps outputs in the engine and takes them back as inputs', async () => {
    for (const engine of ['onnx', 'cpu'] as const) {
      const step = await compile(
        ({ state, x }) => ({ state: tf.add(state!, x!), total: tf.sum(tf.add(state!, x!)) }),
        {
          inputs: { state: { shape: [2] }, x: { shape: [2] } },
          engine,
        },
      );
      let state = await resident(Float32Array.of(1, 2), { shape: [2] }, engine);
      for (let i = 0; i < 3; i++) {
        const { values, kept } = await step.runKeeping({ state, x: [1, 10] }, ['state']);
        expect(Object.keys(values)).toEqual(['total']);
        state.release();
        state = kept.state;
      }
      expect([...(await state.read())]).toEqual([4, 32]);
    }
  });

  it('says which input is missing or of the wrong size', async () => {
    const compiled = await compile(({ x }) => ({ y: tf.neg(x!) }), { inputs: { x: { shape: [2, 3] } } });
    await expect(async () => compiled.run({})).rejects.toThrow('the input "x" is missing');
    await expect(async () => compiled.run({ x: [1, 2] })).rejects.toThrow(
      'has 2 elements, not the 6 of [2,3]',
    );
  });

  it('leaves the inputs of a call alone', async () => {
    const compiled = await compile(({ x }) => ({ y: tf.neg(x!), same: x! }), {
      inputs: { x: { shape: [2] } },
    });
    const x = Float32Array.of(1, 2);
    expect([...(await compiled.run({ x })).y!]).toEqual([-1, -2]);
    expect([...(await compiled.run({ x })).same!]).toEqual([1, 2]);
  });

  it('says where the engine "tensorflow" is to be had when it is not installed', async () => {
    const attempt = compile(({ x }) => ({ y: tf.neg(x!) }), {
      inputs: { x: { shape: [1] } },
      engine: 'tensorflow',
    });
    const outcome = await attempt.then(
      () => 'installed',
      (error: Error) => error.message,
    );
    expect(outcome).toMatch(/^installed$|needs the package @tensorflow\/tfjs-node/);
  });
});

describe('tracing', () => {
  const inputs = { x: { shape: [2, 2] } };

  it('names the operation, its origin and the line when data is read', () => {
    const read: TensorFunction = ({ x }) => ({ y: tf.scalar(tf.exp(x!).dataSync()[0]!) });
    expect(() => trace(read, inputs)).toThrow(
      /data of a symbolic tensor \[2,2\] \(the result of Exp\) was read at .*compile\.test\.ts:\d+/,
    );
  });

  it('names an operation without a rule and the line', () => {
    expect(() => trace(({ x }) => ({ y: tf.acos(x!) }), inputs)).toThrow(
      /operation Acos has no rule .*compile\.test\.ts:\d+/,
    );
  });

  it('names the weight that nobody gave', () => {
    expect(() => trace((_, w) => ({ y: w('gain') }), {})).toThrow(
      'asked for the weight "gain" but was given none',
    );
  });

  it('takes tensors of an eager backend as constants', async () => {
    await import('@tensorflow/tfjs-backend-cpu');
    await tf.setBackend('cpu');
    const outside = tf.tensor1d([10, 20]);
    const compiled = await compile(({ x }) => ({ y: tf.add(x!, outside) }), {
      inputs: { x: { shape: [2] } },
    });
    expect([...(await compiled.run({ x: [1, 2] })).y!]).toEqual([11, 22]);
    expect(tf.getBackend()).toBe('cpu');
  });
});
