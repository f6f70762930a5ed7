import { setImmediate as nextTurn } from 'node:timers/promises';
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { freeTensor } from './free-tensor.js';

it('gives memory back at once', async () => {
  const mebibytes = () => process.memoryUsage().arrayBuffers / 2 ** 20;
  const tensors = Array.from(
    { length: 16 },
    () => new ort.Tensor('float32', new Float32Array(2 ** 20), [2 ** 20]),
  );
  const before = mebibytes();
  for (const tensor of tensors) freeTensor(tensor);
  await nextTurn();
  expect(before - mebibytes()).toBeGreaterThan(60);
  for (let call = 0; call < 50; call++) {
    freeTensor(new ort.Tensor('float32', new Float32Array(2 ** 20), [2 ** 20]));
    await nextTurn();
    expect(mebibytes()).toBeLessThan(before - 50);
  }
});

it('frees an array that several tensors had once', () => {
  const tensor = new ort.Tensor('float32', new Float32Array(2 ** 20), [2 ** 20]);
  const other = tensor.reshape([2 ** 10, 2 ** 10]);
  freeTensor(tensor);
  // Sent a second time, an array that is gone would be an error.
  expect(() => freeTensor(other)).not.toThrow();
});
