/** @file Opening a vision network with the one reader that its file needs: the others are not loaded. */
import { type ModelFile, modelFile, type NetworkReader } from './model-file.js';
import type { VisionNetwork } from './network.js';

const readers: Readonly<Record<ModelFile['format'], () => Promise<NetworkReader>>> = {
  onnx: async () => (await import('./readers/onnx.js')).readOnnx,
  tfjs: async () => (await import('./readers/tfjs.js')).readTfjs,
  torch: async () => (await import('./torch/read-torch.js')).readTorch,
};

/** As `openVisionNetwork`. */
export async function loadVisionNetwork(path: string, name?: string): Promise<VisionNetwork> {
  const file = modelFile(path, name);
  const read = await readers[file.format]();
  return file.withRange(read(file));
}
