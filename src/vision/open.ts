/** @file A vision network from its file or folder: TFJS `model.json`, ONNX, or safetensors or `.pth` of a known architecture. */
import { type ModelFile, modelFile, type NetworkReader } from './model-file.js';
import type { VisionNetwork } from './network.js';
import { readOnnx } from './readers/onnx.js';
import { readTfjs } from './readers/tfjs.js';
import { readTorch } from './torch/read-torch.js';

export { holdsVisionNetwork } from './model-file.js';

const readers: Readonly<Record<ModelFile['format'], NetworkReader>> = {
  onnx: readOnnx,
  tfjs: readTfjs,
  torch: readTorch,
};

/**
 * Opens a network from a file, or from a folder that holds one. Weights are read when something is computed.
 *
 * @param name - what messages call it; default: what the file says, else the file's own name
 * @throws UserError when there is no network, or one that is damaged or uses something not supported
 */
export function openVisionNetwork(path: string, name?: string): VisionNetwork {
  const file = modelFile(path, name);
  return file.withRange(readers[file.format](file));
}
