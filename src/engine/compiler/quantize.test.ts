import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { compile, type Precision } from '../compile.js';
import { weightSteps } from '../dot-products.js';
import { layerNorm, logSoftmax } from '../functions/ops.js';
import * as tf from '../functions/tfjs.js';
import { MemoryWeights, type WeightArray } from '../weights/weights.js';
import { decodeModel } from './onnx-proto.js';
import { buildProgram } from './program.js';
import { quantizeProducts } from './quantize.js';
import { type TensorFunction, trace } from './trace.js';

const random = Random.of(7, 'quantize');
const normals = (size: number, scale = 1) => random.normals(size).map((x) => scale * x);
const [ROWS, IN, HIDDEN] = [40, 256, 320];

const weights = new MemoryWeights(
  new Map([
    ['up', { shape: [IN, HIDDEN], data: normals(IN * HIDDEN, 1 / Math.sqrt(IN)) }],
    ['up bias', { shape: [HIDDEN], data: normals(HIDDEN) }],
    ['down', { shape: [IN, HIDDEN], data: normals(HIDDEN * IN, 1 / Math.sqrt(HIDDEN)) }],
    ['small', { shape: [IN, 8], data: normals(IN * 8, 1 / Math.sqrt(IN)) }],
  ]),
);

/** Two layers, one matrix stored as [in, out] and one as [out, in]; a small one; a product without weights. */
const network: TensorFunction = ({ x }, w) => {
  const hidden = tf.relu(tf.add(tf.matMul(x as tf.Tensor2D, w('up') as tf.Tensor2D), w('up bias')));
  const y = tf.matMul(hidden as tf.Tensor2D, w('down') as tf.Tensor2D, false, true);
  return { hidden, y, small: tf.matMul(y, w('small') as tf.Tensor2D), gram: tf.matMul(y, y, false, true) };
};
const inputs = { x: { shape: [ROWS, IN] } };

async function both(fn: TensorFunction, x: Float32Array) {
  const run = async (precision: Precision) => (await compile(fn, { inputs, weights, precision })).run({ x });
  return { exact: await run('float32'), rough: await run('rough') };
}

/** Distance over length, row by row: the largest. */
function worstRow(exact: ArrayLike<number>, rough: ArrayLike<number>, width: number): number {
  const norms = Array.from({ length: exact.length / width }, (_, row) => {
    let [off, length] = [0, 0];
    for (let i = row * width; i < (row + 1) * width; i++) {
      off += (exact[i]! - rough[i]!) ** 2;
      length += exact[i]! ** 2;
    }
    return Math.sqrt(off / length);
  });
  return Math.max(...norms);
}

/** Relative error of a row: half a step of the weights and of the rows. */
const GOOD = 0.009 + 0.76 / weightSteps();

describe('quantizeProducts', () => {
  it('puts integer products in the place of large products by weights, quantized beforehand', () => {
    const program = buildProgram(quantizeProducts(trace(network, inputs, weights)));
    const count = (model: Uint8Array, op: string) =>
      decodeModel(model).graph!.node!.filter(({ opType }) => opType === op).length;
    expect(count(program.model, 'DynamicQuantizeMatMul')).toBe(2);
    expect(count(program.model, 'Gemm')).toBe(2);
    expect(count(program.model, 'Round')).toBe(0);
    expect(count(program.derivation!.model, 'Round')).toBe(2);
    expect(program.feeds.filter(({ dtype }) => dtype === 'int8').map(({ shape }) => shape)).toEqual(
      expect.arrayContaining([
        [IN, HIDDEN],
        [HIDDEN, IN],
      ]),
    );
  });

  it('computes products of the same rows as one, of which small ones are a part', async () => {
    const shared: TensorFunction = ({ x }, w) => ({
      up: tf.add(tf.matMul(x as tf.Tensor2D, w('up') as tf.Tensor2D), w('up bias')),
      small: tf.matMul(x as tf.Tensor2D, w('small') as tf.Tensor2D),
    });
    const { model } = buildProgram(quantizeProducts(trace(shared, inputs, weights)));
    const ops = decodeModel(model).graph!.node!.map(({ opType }) => opType);
    expect(ops.filter((op) => op === 'DynamicQuantizeMatMul' || op === 'Gemm')).toHaveLength(1);
    const { exact, rough } = await both(shared, normals(ROWS * IN));
    expect(worstRow(exact.up!, rough.up!, HIDDEN)).toBeLessThan(GOOD);
    expect(worstRow(exact.small!, rough.small!, 8)).toBeLessThan(4 * GOOD);
  });

  it('computes wide products alone, their rows brought to one range once', () => {
    const sized = (width: number): WeightArray => ({ shape: [IN, width], data: normals(IN * width) });
    const arrays = new MemoryWeights(
      new Map([
        ['gate', sized(1024)],
        ['up', sized(1024)],
        ['small', sized(8)],
      ]),
    );
    const mlp: TensorFunction = ({ x }, w) =>
      Object.fromEntries(
        arrays.names.map((name) => [name, tf.matMul(x as tf.Tensor2D, w(name) as tf.Tensor2D)]),
      );
    const { model } = buildProgram(quantizeProducts(trace(mlp, inputs, arrays)));
    const ops = decodeModel(model).graph!.node!.map(({ opType }) => opType);
    const count = (...named: string[]) => ops.filter((op) => named.includes(op!)).length;
    expect(count('DynamicQuantizeMatMul')).toBe(2);
    expect(count('Gemm')).toBe(1);
    expect(count('Split', 'Slice')).toBe(0);
    expect(count('ReduceMax')).toBe(1);
  });

  it('is good to one or two percent, whatever the sizes of other rows', async () => {
    const x = normals(ROWS * IN);
    for (let i = 0; i < IN; i++) x[3 * IN + i]! *= 1000;
    const { exact, rough } = await both(network, x);
    expect(worstRow(exact.hidden!, rough.hidden!, HIDDEN)).toBeLessThan(GOOD);
    expect(worstRow(exact.y!, rough.y!, IN)).toBeLessThan(1.4 * GOOD);
    expect(worstRow(exact.y!, rough.y!, IN)).toBeGreaterThan(0.0005);
  });

  it('gives zeros for rows of zeros', async () => {
    const { rough } = await both(
      ({ x }, w) => ({ y: tf.matMul(x as tf.Tensor2D, w('up') as tf.Tensor2D) }),
      new Float32Array(ROWS * IN),
    );
    expect(rough.y!.every((value) => value === 0)).toBe(true);
  });

  it('ranks as full precision does', async () => {
    const { exact, rough } = await both(
      (inputs, w) => ({ score: tf.max(network(inputs, w).y!, 1) }),
      normals(ROWS * IN),
    );
    const [a, b] = [exact.score!, rough.score!];
    const swapped = Array.from(a).flatMap((x, i) =>
      Array.from(a).filter((y, j) => x > y + 0.03 * Math.abs(y) && b[i]! <= b[j]!),
    );
    expect(swapped).toEqual([]);
  });

  it('keeps gradients in their direction, though a ReLU may switch', async () => {
    const { exact, rough } = await both(
      (inputs, w) => ({
        slope: tf.grad((x: tf.Tensor) => tf.sum(tf.square(network({ x }, w).y!)))(inputs.x!),
      }),
      normals(ROWS * IN),
    );
    expect(worstRow(exact.slope!, rough.slope!, IN)).toBeLessThan(0.15);
  });

  it('leaves shares of a softmax in float32, small ones too', async () => {
    const { exact, rough } = await both(
      ({ x }, w) => {
        const shares = tf.mul(tf.exp(logSoftmax(x!)), tf.neg(tf.slice(x!, [0, 0], [ROWS, 1])));
        return { y: tf.matMul(shares as tf.Tensor2D, w('up') as tf.Tensor2D) };
      },
      normals(ROWS * IN, 3),
    );
    expect(worstRow(exact.y!, rough.y!, HIDDEN)).toBeLessThan(1e-5);
  });

  it('computes the same with matrices packed, and has them as constants then', async () => {
    const x = normals(ROWS * IN);
    const { rough } = await both(network, x);
    const program = await compile(network, { inputs, weights, precision: 'rough', packed: true });
    expect(await program.run({ x })).toEqual(rough);
    const { feeds, constants } = buildProgram(quantizeProducts(trace(network, inputs, weights)), {
      packs: true,
    });
    expect(feeds.filter(({ dtype }) => dtype === 'int8')).toEqual([]);
    expect(constants.map(({ shape }) => shape)).toEqual(
      expect.arrayContaining([
        [IN, HIDDEN],
        [HIDDEN, IN],
      ]),
    );
  });

  it('feeds matrices that are too many for constants', () => {
    const side = 2 ** 14;
    const large = { names: ['w'], shape: () => [side, 5 * side], read: () => new Float32Array() };
    const product: TensorFunction = ({ x }, w) => ({ y: tf.matMul(x as tf.Tensor2D, w('w') as tf.Tensor2D) });
    const traced = trace(product, { x: { shape: [2, side] } }, large);
    const { constants, feeds } = buildProgram(quantizeProducts(traced), { packs: true });
    expect(constants).toEqual([]);
    expect(feeds.filter(({ dtype }) => dtype === 'int8')).toHaveLength(1);
  });

  it('leaves rows behind a norm as they are where that is said to do', async () => {
    const behindNorm: TensorFunction = ({ x }, w) => ({
      y: tf.add(
        tf.matMul(layerNorm(x!, tf.ones([IN]), null, 1e-5) as tf.Tensor2D, w('up') as tf.Tensor2D),
        w('up bias'),
      ),
    });
    const x = normals(ROWS * IN);
    const { exact, rough } = await both(behindNorm, x);
    const program = await compile(behindNorm, { inputs, weights, precision: 'rough', evenRows: true });
    const even = await program.run({ x });
    expect(even.y).not.toEqual(rough.y);
    expect(worstRow(exact.y!, even.y!, HIDDEN)).toBeLessThan(GOOD);
    const ops = (evenRows: boolean) =>
      decodeModel(buildProgram(quantizeProducts(trace(behindNorm, inputs, weights), evenRows)).model)
        .graph!.node!.map(({ opType }) => opType)
        .filter((op) => op === 'ReduceMax' || op === 'Add');
    expect([ops(true), ops(false)]).toEqual([[], ['ReduceMax', 'Add']]);
  });
});
