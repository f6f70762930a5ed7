import { expect, it } from 'vitest';
import { gpusAmong } from './hardware.js';

it('names GPUs as their drivers do, with their memory; for CUDA those of NVIDIA', () => {
  const nvidia = {
    vendor: 'NVIDIA Corporation',
    model: 'GH100',
    name: 'NVIDIA H200',
    memoryTotal: 143771,
    vram: 256,
  };
  const shared = { vendor: 'Intel Corporation', model: 'Iris Xe', vram: null };
  const h200 = { name: 'NVIDIA H200', memory: 143771 * 2 ** 20 };
  expect(gpusAmong([shared, nvidia], 'webgpu')).toEqual([{ name: 'Iris Xe', memory: null }, h200]);
  expect(gpusAmong([shared, nvidia], 'cuda')).toEqual([h200]);
  expect(gpusAmong([{ ...shared, vram: 512 }], 'webgpu')).toEqual([{ name: 'Iris Xe', memory: 2 ** 29 }]);
});
