import { expect, it } from 'vitest';
import { channelBlockOf } from './channel-block.js';
import { featuresOf } from './processor.js';

it('a block has as many channels as ONNX Runtime gives it', () => {
  const block = (list: string, arch: string) => channelBlockOf(featuresOf(list), arch);
  expect(block('flags : fpu fma avx2 avx512f', 'x64')).toBe(16);
  expect(block('flags : fpu fma avx2', 'x64')).toBe(8);
  expect(block('Features : fp asimd asimddp', 'arm64')).toBe(0);
  expect(channelBlockOf(null, 'x64')).toBe(0);
});
