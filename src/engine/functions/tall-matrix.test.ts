/** Matrices of many rows, read in blocks: as read at once, with gradients, and fed without a copy. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../core/random.js';
import { compile } from '../compile.js';
import { buildProgram } from '../compiler/program.js';
import { type TensorFunction, trace } from '../compiler/trace.js';
import { type Device, devices } from '../engine-names.js';
import { MemoryWeights } from '../weights/weights.js';
import * as tall from './tall-matrix.js';
import * as tf from './tfjs.js';

const [height, width] = [11, 6];
const data = new Random(1).normals(height * width);
const weights = new MemoryWeights(new Map([['m', { shape: [height, width], data }]]));

/** Everything, with so many rows at once. */
const all =
  (atOnce: number): TensorFunction =>
  (_, w) => {
    const m = w('m') as tf.Tensor2D;
    return {
      lengths: tall.ofEachRow(m, (rows) => tf.sum(tf.square(rows), 1), atOnce),
      mean: tall.meanRow(m, atOnce),
      gram: tall.centredGram(m, atOnce),
    };
  };

/** The same without this file's functions. */
const plain: TensorFunction = (_, w) => {
  const m = w('m') as tf.Tensor2D;
  const mean = tf.mean(m, 0, true) as tf.Tensor2D;
  const centred = tf.sub(m, mean) as tf.Tensor2D;
  return { lengths: tf.sum(tf.square(m), 1), mean, gram: tf.matMul(centred, centred, true, false) };
};

describe.each(['onnx', 'cpu'] as const)('a matrix in blocks on %s', (engine) => {
  it('gives what it gives at once, and what plain operations give', async () => {
    const results = [];
    for (const fn of [plain, all(height), all(4)]) {
      const program = await compile(fn, { inputs: {}, weights, engine });
      results.push(await program.run({}));
      program.dispose();
    }
    const [expected, ...given] = results;
    for (const [name, values] of Object.entries(expected!))
      for (const [i, x] of values.entries())
        for (const result of given) expect(result[name]![i], name).toBeCloseTo(x, 4);
  });
});

it('only a tall matrix is read in blocks, and only where they are fed without a copy', () => {
  const rows = (vocab: number, device: Device) => {
    let atOnce = 0;
    const body: TensorFunction = ({ x }) => {
      atOnce = tall.rowsAtOnce(vocab, 2304, 16);
      return { y: tf.neg(x!) };
    };
    trace(body, { x: { shape: [1] } }, undefined, devices[device]);
    return atOnce;
  };
  expect(rows(256_000, 'cpu')).toBe(1024);
  expect(rows(256_000, 'webgpu')).toBe(256_000);
  expect(rows(16_000, 'cpu')).toBe(16_000);
});

it('blocks are fed as they lie in the matrix', () => {
  const product: TensorFunction = ({ x }, w) => {
    const blocks = tall.blocksOf(height, 4).map((block) => tall.rowsOf(w('m') as tf.Tensor2D, block));
    return Object.fromEntries(blocks.map((m, i) => [`y${i}`, tf.matMul(x as tf.Tensor2D, m, false, true)]));
  };
  const traced = trace(product, { x: { shape: [3, width] } }, weights);
  const { feeds, derivation } = buildProgram(traced, { views: true });
  const starts = feeds.flatMap((feed) => (feed.kind === 'weight' ? [[feed.start ?? 0, feed.shape[0]!]] : []));
  expect(starts.sort(([a], [b]) => a! - b!)).toEqual([
    [0, 4],
    [4 * width, 4],
    [8 * width, 3],
  ]);
  expect(derivation).toBeUndefined();
  expect(buildProgram(traced).derivation).toBeDefined();
});
