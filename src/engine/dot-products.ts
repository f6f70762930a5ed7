/** @file Whether this processor has instructions for products in 8 bits. */
import { processorFeatures } from './processor.js';

/** Names of such instructions in Linux's list: AVX-512 VNNI, AVX-VNNI, and those of ARMv8.2. */
const NAMES = ['avx512_vnni', 'avx_vnni', 'asimddp'];

export const listsDotProducts = (features: ReadonlySet<string>): boolean =>
  NAMES.some((name) => features.has(name));

/** Whether this processor is known to have them; null where nobody says. */
function known(): boolean | null {
  const features = processorFeatures();
  return features && listsDotProducts(features);
}

/**
 * Products in 8 bits are 3 to 4 times as fast as in float32 where a processor adds four of them in one instruction, and
 * else 1 to 2 times. True where that is not known: most processors of laptops have it.
 */
export const hasDotProducts = (): boolean => known() ?? true;

/**
 * Steps of a weight in 8 bits to either side of zero. An x86 processor without such instructions adds pairs of products in
 * 16 bits, where larger ones are cut off: 255 x 64 x 2 is the most that fits (ONNX Runtime, `reduce_range`).
 */
export const weightSteps = (): 64 | 127 => (process.arch === 'x64' && known() !== true ? 64 : 127);
