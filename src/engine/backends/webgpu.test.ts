/** The device webgpu against the cpu; skipped where there is no adapter (SwiftShader, in Debian's chromium, is one). */
import { describe, expect, it } from 'vitest';
import { runOn } from '../../../test/helpers/engines.js';
import { webgpu } from '../../../test/helpers/webgpu.js';
import { Random } from '../../core/random.js';
import { type Engine, releaseWeights, traitsOf } from '../compile.js';
import type { TensorFunction } from '../compiler/trace.js';
import { attendCached } from '../functions/attention.js';
import { batchNormRelu } from '../functions/batch-norm.js';
import { layerNorm } from '../functions/ops.js';
import * as tf from '../functions/tfjs.js';
import { tokenLogProbs } from '../functions/token-log-probs.js';
import { adamW } from '../training/optimizer.js';
import { Trainer } from '../training/trainer.js';
import { MemoryWeights } from '../weights/weights.js';
import { gpuTrouble } from './worker-device.js';

const trouble = webgpu.skipped;

const random = new Random(3);
const array = (...shape: number[]) => ({ shape, data: random.normals(shape.reduce((a, b) => a * b, 1)) });
const ids = { shape: [6], data: Int32Array.of(0, 5, 2, 2, 7, 1) };
const weights = new MemoryWeights(
  new Map([
    ['w', array(8, 16)],
    ['filter', array(3, 3, 4, 8)],
    ['scale', array(16)],
    ['threes', array(3, 3, 6, 8)],
    ['back', array(3, 3, 8, 6)],
  ]),
);

const functions: Record<string, { fn: TensorFunction; inputs: Parameters<typeof runOn>[2] }> = {
  'a product, its norm and the gradient': {
    inputs: { x: array(6, 8) },
    fn: ({ x }, w) => {
      const value = (x: tf.Tensor) =>
        tf.sum(
          tf.square(layerNorm(tf.matMul(x as tf.Tensor2D, w('w') as tf.Tensor2D), w('scale'), null, 1e-5)),
        );
      return { value: value(x!), gradient: tf.grad(value)(x!) };
    },
  },
  'tokens, their log-probabilities and a part of the embedding': {
    inputs: { ids },
    fn: ({ ids }, w) => {
      const hidden = tf.gather(w('w'), ids!);
      return {
        logProbs: tokenLogProbs(hidden, w('w'), null, ids!),
        column: tf.slice(hidden, [0, 3], [6, 1]),
      };
    },
  },
  'convolution, normalization, pooling and the gradient': {
    inputs: { x: array(2, 12, 12, 4) },
    fn: ({ x }, w) => {
      const value = (x: tf.Tensor) => {
        const y = tf.conv2d(x as tf.Tensor4D, w('filter') as tf.Tensor4D, 1, 'same');
        const pooled = tf.maxPool(batchNormRelu(y, tf.zeros([8]), 1e-3) as tf.Tensor4D, 2, 2, 'valid');
        return tf.sum(tf.square(pooled));
      };
      return { value: value(x!), gradient: tf.grad(value)(x!) };
    },
  },
  'attention with a cache': {
    inputs: { q: array(2, 2, 1, 8), k: array(2, 2, 1, 8), cache: array(2, 2, 4, 8) },
    fn: ({ q, k, cache }) => {
      const positions = tf.tensor1d([1, 3], 'int32');
      const { z, k: keys } = attendCached(q!, k!, k!, { k: cache!, v: cache! }, positions, 0.3);
      // Past a row's position a cache may hold anything.
      return { z, keys: tf.slice(keys, [0, 0, 0, 0], [2, 2, 2, 8]) };
    },
  },
  'convolutions of channels in threes, and their gradients': {
    inputs: { x: array(1, 5, 5, 6), y: array(1, 5, 5, 8) },
    fn: ({ x, y }, w) => ({
      even: tf.conv2d(x as tf.Tensor4D, w('threes') as tf.Tensor4D, 1, 'same'),
      odd: tf.conv2d(x as tf.Tensor4D, w('threes') as tf.Tensor4D, 2, 'valid'),
      back: tf.grad((y) =>
        tf.sum(tf.mul(x!, tf.conv2d(y as tf.Tensor4D, w('back') as tf.Tensor4D, 1, 'same'))),
      )(y!),
      strided: tf.grad((y) =>
        tf.sum(tf.square(tf.conv2d(y as tf.Tensor4D, w('back') as tf.Tensor4D, 2, 'same'))),
      )(y!),
    }),
  },
};

describe.skipIf(trouble !== null)(`webgpu${trouble ? ` (${trouble})` : ''}`, () => {
  it.each(Object.entries(functions))('computes as the cpu does: %s', async (_name, { fn, inputs }) => {
    const expected = await runOn('onnx', fn, inputs, weights);
    const found = await runOn('onnx:webgpu', fn, inputs, weights);
    for (const [name, { data }] of Object.entries(expected))
      for (const [i, x] of data.entries())
        expect(Math.abs(found[name]!.data[i]! - x)).toBeLessThan(1e-3 * Math.max(1, Math.abs(x)));
  });

  it('keeps the state of training there', async () => {
    const x = random.normals(32);
    const run = async (engine: Engine) => {
      const trainer = await Trainer.create({
        loss: ({ x }, w) => ({ loss: tf.mean(tf.square(tf.sub(tf.mul(x!, w('a')), 1))) as tf.Scalar }),
        inputs: { x: { shape: [32] } },
        parameters: new Map([['a', { shape: [32], data: new Float32Array(32) }]]),
        rule: () => adamW(),
        engine,
      });
      for (let i = 0; i < 20; i++) await trainer.step({ x }, 0.1);
      const { data } = (await trainer.snapshot()).get('a')!;
      trainer.dispose();
      return data;
    };
    const expected = await run('onnx');
    for (const [i, a] of (await run('onnx:webgpu')).entries()) expect(a).toBeCloseTo(expected[i]!, 4);
  });

  it('frees weights and what was derived from them', async () => {
    const own = new MemoryWeights(new Map([['w', array(8, 16)]]));
    const fn: TensorFunction = ({ x }, w) => ({ y: tf.mul(x!, tf.square(w('w'))) });
    const inputs = { x: { shape: [8, 16], data: random.normals(128) } };
    const { y } = await runOn('onnx:webgpu', fn, inputs, own);
    await releaseWeights(own);
    expect(await runOn('onnx:webgpu', fn, inputs, own)).toEqual({ y });
  });
});

it('has traits of its own, and says why it cannot be used', () => {
  expect([traitsOf('onnx').rough, traitsOf('onnx:webgpu').rough]).toEqual(['int8', 'float16']);
  if (trouble !== null) expect(trouble).toContain('no GPU was found for the device webgpu');
});

it('says in a sentence what ONNX Runtime says of a GPU', () => {
  // As onnxruntime-node 1.30 throws them where an array of 4.6 GB and one of 14 GB are asked for.
  const invalid =
    'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.';
  const pieces =
    '/core/providers/webgpu/shader_helper.cc:306 numbers_storage_buffers_ <= limits_.maxStorageBuffersPerShaderStage was false.';
  for (const message of [`${invalid}\n - While validating entries[2]`, pieces])
    expect(gpuTrouble(message)).toContain('the GPU has too little memory for this');
  expect(gpuTrouble('WebGPU validation failed. [Device] is lost.')).toContain('the GPU was lost');
  expect(gpuTrouble('WebGPU validation failed. Binding size is zero.')).toBeUndefined();
  expect(gpuTrouble('no adapter is lost here')).toBeUndefined();
  const noCuda = 'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library';
  expect(gpuTrouble(noCuda)).toContain('CUDA was not found');
  expect(gpuTrouble('CUDA failure 2: out of memory ; GPU=0')).toContain('too little memory');
  expect(gpuTrouble('CUDA failure 700: an illegal memory access')).toContain('the GPU was lost');
});
