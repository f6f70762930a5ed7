/** @file How many channels a block has in ONNX Runtime's layout of convolutions (NCHWc). */
import { processorFeatures } from './processor.js';

/**
 * As ONNX Runtime chooses it (MLAS, `MlasNchwcGetBlockSize`, 1.30): on x86, 16 channels where the processor has AVX-512, else 8.
 *
 * @returns 0 where there is no such layout, or nobody says what the processor has
 */
export function channelBlockOf(features: ReadonlySet<string> | null, arch: string): 0 | 8 | 16 {
  if (features === null || arch !== 'x64') return 0;
  return features.has('avx512f') ? 16 : 8;
}

export const channelBlock = (): 0 | 8 | 16 => channelBlockOf(processorFeatures(), process.arch);
