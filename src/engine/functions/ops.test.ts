/** Fused operations: compiled = eager, and their own gradients = those of the composition of plain operations. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { compile } from '../compile.js';
import type { TensorFunction } from '../compiler/trace.js';
import { sizeOf } from '../tensor-spec.js';
import { attendCached, rotate, softmaxAttention, writeAt } from './attention.js';
import { batchNormRelu } from './batch-norm.js';
import * as ops from './ops.js';
import * as tf from './tfjs.js';
import { tokenLogProbs } from './token-log-probs.js';

type Op = (...x: tf.Tensor[]) => tf.Tensor;
const targets = () => tf.tensor1d([3, 0, 6, 6], 'int32');

function plainNorm(x: tf.Tensor, scale: tf.Tensor, bias: tf.Tensor | null, centre: boolean): tf.Tensor {
  const centred = centre ? tf.sub(x, tf.mean(x, -1, true)) : x;
  const normal = tf.div(centred, tf.sqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-5)));
  return bias ? tf.add(tf.mul(normal, scale), bias) : tf.mul(normal, scale);
}

function plainLogProbs(
  h: tf.Tensor,
  u: tf.Tensor,
  b: tf.Tensor | null,
  cap: number | null = null,
): tf.Tensor {
  const products = ops.capped(tf.matMul(h as tf.Tensor2D, u as tf.Tensor2D, false, true), cap);
  const logProbs = tf.logSoftmax(b ? tf.add(products, b) : products);
  return tf.sum(tf.mul(logProbs, tf.oneHot(targets(), 7)), -1);
}

const rows = () => tf.tensor1d([4, 0, 2], 'int32');

function angles(positions: number, pairs: number): { cos: tf.Tensor; sin: tf.Tensor } {
  const table = tf.tensor(new Random(9).normals(positions * pairs), [positions, pairs]);
  return { cos: tf.cos(table), sin: tf.sin(table) };
}

function turned(x: tf.Tensor, { cos, sin }: { cos: tf.Tensor; sin: tf.Tensor }): tf.Tensor {
  const pairs = cos.shape.at(-1)!;
  const [a, b, rest] = tf.split(x, [pairs, pairs, x.shape.at(-1)! - 2 * pairs], 3) as tf.Tensor[];
  return tf.concat(
    [tf.sub(tf.mul(a!, cos), tf.mul(b!, sin)), tf.add(tf.mul(b!, cos), tf.mul(a!, sin)), rest!],
    3,
  );
}

const cases: Record<string, { shapes: number[][]; op: Op; plain: Op }> = {
  layerNorm: {
    shapes: [[2, 3, 8], [8], [8]],
    op: (x, s, b) => ops.layerNorm(x!, s!, b!, 1e-5),
    plain: (x, s, b) => plainNorm(x!, s!, b!, true),
  },
  'layerNorm without a bias': {
    shapes: [[3, 8], [8]],
    op: (x, s) => ops.layerNorm(x!, s!, null, 1e-5),
    plain: (x, s) => plainNorm(x!, s!, null, true),
  },
  rmsNorm: {
    shapes: [[2, 3, 8], [8]],
    op: (x, s) => ops.rmsNorm(x!, s!, 1e-5),
    plain: (x, s) => plainNorm(x!, s!, null, false),
  },
  batchNormRelu: {
    shapes: [[4, 3, 2, 5], [5]],
    op: (x, b) => batchNormRelu(x!, b!, 1e-5),
    plain: (x, b) => {
      const { mean, variance } = tf.moments(x!, [0, 1, 2]);
      return tf.relu(tf.add(tf.div(tf.sub(x!, mean), tf.sqrt(tf.add(variance, 1e-5))), b!));
    },
  },
  gelu: {
    shapes: [[4, 9]],
    op: (x) => ops.gelu(x!),
    plain: (x) => tf.mul(tf.mul(x!, 0.5), tf.add(1, tf.erf(tf.mul(x!, Math.SQRT1_2)))),
  },
  geluTanh: {
    shapes: [[4, 9]],
    op: (x) => ops.geluTanh(x!),
    plain: (x) =>
      tf.mul(
        tf.mul(x!, 0.5),
        tf.add(1, tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), tf.add(x!, tf.mul(0.044715, tf.pow(x!, 3)))))),
      ),
  },
  silu: { shapes: [[4, 9]], op: (x) => ops.silu(x!), plain: (x) => tf.mul(x!, tf.sigmoid(x!)) },
  softmaxAttention: {
    shapes: [
      [2, 2, 3, 4],
      [2, 2, 3, 4],
      [2, 2, 3, 4],
    ],
    op: (q, k, v) =>
      softmaxAttention(q!, k!, v!, tf.tensor2d([0, -1e9, -1e9, 0, 0, -1e9, 0, 0, 0], [3, 3]), { scale: 0.5 })
        .z,
    plain: (q, k, v) =>
      tf.matMul(
        tf.softmax(
          tf.add(
            tf.mul(tf.matMul(q!, k!, false, true), 0.5),
            tf.tensor2d([0, -1e9, -1e9, 0, 0, -1e9, 0, 0, 0], [3, 3]),
          ),
        ),
        v!,
      ),
  },
  rotate: {
    shapes: [[2, 3, 4, 8]],
    op: (x) => rotate(x!, { ...angles(4, 4), rows: null }),
    plain: (x) => turned(x!, angles(4, 4)),
  },
  'rotate, a row of its own each and not all dimensions': {
    shapes: [[3, 2, 1, 8]],
    op: (x) => rotate(x!, { ...angles(5, 2), rows: rows() }),
    plain: (x) => {
      const own = (table: tf.Tensor) => tf.reshape(tf.gather(table, rows()), [3, 1, 1, 2]);
      const { cos, sin } = angles(5, 2);
      return turned(x!, { cos: own(cos), sin: own(sin) });
    },
  },
  logSoftmax: { shapes: [[3, 2, 6]], op: (x) => ops.logSoftmax(x!), plain: (x) => tf.logSoftmax(x!) },
  tokenLogProbs: {
    shapes: [
      [4, 5],
      [7, 5],
    ],
    op: (h, u) => tokenLogProbs(h!, u!, null, targets()),
    plain: (h, u) => plainLogProbs(h!, u!, null),
  },
  'tokenLogProbs with a bias': {
    shapes: [[4, 5], [7, 5], [7]],
    op: (h, u, b) => tokenLogProbs(h!, u!, b!, targets()),
    plain: (h, u, b) => plainLogProbs(h!, u!, b!),
  },
  'tokenLogProbs in blocks of three tokens, capped': {
    shapes: [[4, 5], [7, 5], [7]],
    op: (h, u, b) => tokenLogProbs(h!, u!, b!, targets(), 2, 3),
    plain: (h, u, b) => plainLogProbs(h!, u!, b!, 2),
  },
};

const withGradients =
  (op: Op): TensorFunction =>
  (inputs) => {
    const total = (...x: tf.Tensor[]) => {
      const y = op(...x);
      return tf.sum(tf.mul(y, tf.tensor(new Random(3).normals(y.size), y.shape)));
    };
    const { value, grads } = tf.valueAndGrads(total)(Object.values(inputs));
    return {
      y: op(...Object.values(inputs)),
      value,
      ...Object.fromEntries(grads.map((g, i) => [`grad${i}`, g])),
    };
  };

describe('fused operations', () => {
  for (const [name, { shapes, op, plain }] of Object.entries(cases)) {
    it.each(['onnx', 'cpu'] as const)(`${name} on %s = plain operations`, async (engine) => {
      const inputs = Object.fromEntries(shapes.map((shape, i) => [`x${i}`, { shape }]));
      const data = Object.fromEntries(
        shapes.map((shape, i) => [`x${i}`, new Random(i).normals(sizeOf(shape))]),
      );
      const actual = await (await compile(withGradients(op), { inputs, engine })).run(data);
      const expected = await (await compile(withGradients(plain), { inputs, engine: 'cpu' })).run(data);
      for (const [output, values] of Object.entries(expected)) {
        const scale = Math.max(...values.map(Math.abs));
        for (const [i, x] of values.entries())
          expect(Math.abs(actual[output]![i]! - x) / scale, output).toBeLessThan(1e-5);
      }
    });
  }

  it('tokenLogProbs gives the same in many parts as in one', async () => {
    const [rows, vocab] = [70, 100_000];
    const random = new Random(1);
    const weights = new Map([['u', { shape: [vocab, 2], data: random.normals(vocab * 2) }]]);
    const { MemoryWeights } = await import('../weights/weights.js');
    const ids = Int32Array.from({ length: rows }, () => random.integer(vocab));
    const inputs = { h: { shape: [rows, 2] }, ids: { shape: [rows], dtype: 'int32' as const } };
    const compiled = await compile(
      (x, w) => {
        const all = tf.logSoftmax(tf.matMul(x.h as tf.Tensor2D, w('u') as tf.Tensor2D, false, true));
        return { parts: tokenLogProbs(x.h!, w('u'), null, x.ids!), all };
      },
      { inputs, weights: new MemoryWeights(weights) },
    );
    const { parts, all } = await compiled.run({ h: random.normals(rows * 2), ids });
    for (const [row, id] of ids.entries()) expect(parts![row]!).toBeCloseTo(all![row * vocab + id]!, 3);
  });
});

describe('attendCached', () => {
  it('is attention to the tokens up to each row’s own', async () => {
    const [batch, heads, kvHeads, capacity, dHead] = [3, 4, 2, 5, 8];
    const inputs = {
      q: { shape: [batch, heads, 1, dHead] },
      k: { shape: [batch, kvHeads, 1, dHead] },
      v: { shape: [batch, kvHeads, 1, dHead] },
      keys: { shape: [batch, kvHeads, capacity, dHead] },
      values: { shape: [batch, kvHeads, capacity, dHead] },
    };
    const data = Object.fromEntries(
      Object.entries(inputs).map(([name, { shape }], i) => [name, new Random(i).normals(sizeOf(shape))]),
    );
    const fused = await compile(
      ({ q, k, v, keys, values }) => ({
        ...attendCached(q!, k!, v!, { k: keys!, v: values! }, rows(), 0.5),
      }),
      { inputs },
    );
    const plain = await compile(
      ({ q, k, v, keys, values }) => {
        const [allKeys, allValues] = [writeAt(keys!, k!, rows()), writeAt(values!, v!, rows())];
        const seen = tf.lessEqual(tf.range(0, capacity, 1, 'int32'), tf.expandDims(rows(), 1));
        const mask = tf.mul(tf.sub(1, tf.cast(seen, 'float32')), -1e9);
        const query = tf.reshape(q!, [batch, kvHeads, heads / kvHeads, dHead]);
        const { z } = softmaxAttention(query, allKeys, allValues, tf.reshape(mask, [batch, 1, 1, -1]), {
          scale: 0.5,
        });
        const known = tf.reshape(tf.cast(seen, 'float32'), [batch, 1, capacity, 1]);
        return { z, k: tf.mul(allKeys, known), v: tf.mul(allValues, known) };
      },
      { inputs },
    );
    const alone = await compile(
      ({ q, k, v, keys, values }) => ({
        z: attendCached(q!, k!, v!, { k: keys!, v: values! }, rows(), 0.5).z,
      }),
      { inputs },
    );
    const [got, expected] = [await fused.run(data), await plain.run(data)];
    expect((await alone.run(data)).z).toEqual(got.z);
    // What lies past a row's position is not said.
    const isKnown = (i: number) =>
      Math.floor(i / dHead) % capacity <= [4, 0, 2][Math.floor(i / (kvHeads * capacity * dHead))]!;
    for (const [name, values] of Object.entries(expected))
      for (const [i, value] of values.entries())
        if (name === 'z' || isKnown(i)) expect(got[name]![i]).toBeCloseTo(value, 5);
        else expect(Number.isFinite(got[name]![i])).toBe(true);
  });
});
